"""One realistic body of every event type: the source of the golden records and of tests by example."""

from datetime import UTC, datetime, timedelta

from shared.contracts import (
    AgencyHeartbeat,
    AgreementPublished,
    AgreementWithdrawn,
    CommandAccepted,
    CommandRefused,
    CommandRequested,
    DeliveryRecorded,
    EventData,
    IncidentClosed,
    IncidentHandedOver,
    IncidentLinked,
    IncidentOpened,
    IncidentShared,
    IncidentUnlinked,
    IncidentUpdated,
    ReportErased,
    ReportLocated,
    ReportReceived,
    ResponseSubmitted,
    Status,
    TaskAcknowledged,
    TaskAssigned,
    TaskCompleted,
    TaskEscalated,
    UnitStatusChanged,
)
from shared.contracts.agency import Presence, SharedView
from shared.contracts.agreement import Terms
from shared.contracts.command import CommandArgs, Verb
from shared.contracts.delivery import Delivery, DeliveryOutcome, WithheldField
from shared.contracts.report import Reporter
from shared.contracts.task import EscalationStep
from shared.contracts.unit import UnitState
from shared.contracts.values import GeoPoint, Place, Priority, Sealed
from shared.contracts.view import IncidentView, Lifecycle, ReportLink, TaskState, TaskView

NOW = datetime(2026, 11, 23, 10, 15, 30, 250_000, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
REPORT, INCIDENT, TASK = "rep-0193", "inc-0042", "task-7"
UNIT, AGREEMENT, EVENT = "unit-12", "mou-2569-01", "0193594c-7f1c-7cc2-9d8b-0a4f9a3c2b11"
DESK, PARTNER_DESK, AGENCY = "mueang-phetchabun", "lom-sak", "phetchabun-rescue"
POINT = GeoPoint(lat=16.4190, lon=101.1606)
PLACE = Place(tambon="670101", amphoe="6701", province="67", zones=("zone-night-market",))
TEXT = "รถชนกันหน้าตลาดนัดกลางคืน มีคนเจ็บสองคน โทรกลับ ***"
SEALED = Sealed(key_id="key-0193", nonce="AAECAwQFBgcICQoL", ciphertext="3q2+7wABAgMEBQYHCAkKCwwNDg8=")

TASKS = (
    TaskView(
        task_id=TASK,
        desk=DESK,
        agency=AGENCY,
        state=TaskState.ASSIGNED,
        units=(UNIT,),
        assigned_at=NOW,
        acknowledge_by=LATER,
    ),
)
VIEW = IncidentView(
    desk=DESK,
    lifecycle=Lifecycle.ASSIGNED,
    category="road_accident",
    priority=Priority.P1,
    text=TEXT,
    point=POINT,
    place=PLACE,
    opened_at=NOW,
    report_count=1,
    reports=(ReportLink(report_id=REPORT, linked_at=NOW),),
    tasks=TASKS,
)
TERMS = Terms(
    version=3,
    categories=("road_accident", "fire"),
    areas=("67", "6501"),
    fields=("lifecycle", "category", "priority", "point", "place"),
    valid_from=NOW,
    valid_until=NOW + timedelta(days=365),
)


def _report(model: type[ReportReceived | ReportLocated], **more: object) -> EventData:
    body = {
        "report_id": REPORT,
        "received_at": NOW,
        "reported_at": NOW - timedelta(seconds=40),
        "channel": "line",
        "reporter": Reporter.CITIZEN,
        "category": "road_accident",
        "priority": Priority.P1,
        "text": TEXT,
        "point": POINT,
        "sealed": SEALED,
    }
    return model.model_validate(body | more)


def _incident(model: type[EventData], seq: int, *changed: str, **more: object) -> EventData:
    return model.model_validate(
        {"incident_id": INCIDENT, "seq": seq, "changed": changed, "view": VIEW} | more
    )


def _outcome(model: type[CommandAccepted | CommandRefused], **more: object) -> EventData:
    asked = {"command_id": EVENT, "verb": Verb.TASK_ACKNOWLEDGE, "desk": DESK, "actor": f"agency:{AGENCY}"}
    return model.model_validate({**asked, "incident_id": INCIDENT, **more})


EXAMPLES: tuple[EventData, ...] = (
    _report(ReportReceived),
    _report(ReportLocated, desk=DESK, place=PLACE, neighbours=(PARTNER_DESK,)),
    ReportErased(report_id=REPORT, incident_id=INCIDENT, desk=DESK, erased_at=NOW),
    CommandRequested(
        verb=Verb.INCIDENT_HAND_OVER,
        desk=PARTNER_DESK,
        actor=f"desk:{DESK}",
        incident_id=INCIDENT,
        args=CommandArgs(to_desk=PARTNER_DESK, note="อยู่ในเขตของหล่มสัก"),
        view=VIEW,
        seq=7,
    ),
    _outcome(CommandAccepted),
    _outcome(CommandRefused, reason="unknown_task", detail="ไม่มีภารกิจนี้"),
    _incident(IncidentOpened, 1, "lifecycle", "reports"),
    _incident(IncidentUpdated, 2, "priority", status=Status.EXERCISE),
    _incident(IncidentLinked, 3, "reports", "report_count", report_id=REPORT),
    _incident(IncidentUnlinked, 4, "reports", "report_count", report_id=REPORT),
    _incident(IncidentHandedOver, 5, "desk", from_desk=PARTNER_DESK),
    _incident(IncidentClosed, 6, "lifecycle", outcome="resolved"),
    _incident(TaskAssigned, 7, "tasks", "lifecycle", task_id=TASK),
    _incident(TaskAcknowledged, 8, "tasks", task_id=TASK),
    _incident(TaskEscalated, 9, "tasks", task_id=TASK, step=EscalationStep.PARTNER_DESK, attempt=3),
    _incident(TaskCompleted, 10, "tasks", task_id=TASK, outcome="done"),
    UnitStatusChanged(
        unit_id=UNIT,
        desk=DESK,
        agency=AGENCY,
        state=UnitState.EN_ROUTE,
        changed_at=NOW,
        incident_id=INCIDENT,
        task_id=TASK,
        point=POINT,
    ),
    AgreementPublished(agreement_id=AGREEMENT, agency=AGENCY, parties=(AGENCY, "police-67"), terms=(TERMS,)),
    AgreementWithdrawn(
        agreement_id=AGREEMENT,
        agency=AGENCY,
        parties=(AGENCY, "police-67"),
        terms=(TERMS,),
        effective_at=LATER,
        reason="สิ้นสุดความร่วมมือ",
    ),
    DeliveryRecorded(
        event_id=EVENT,
        event_type=TaskAssigned.type,
        incident_id=INCIDENT,
        decided_at=NOW,
        deliveries=(
            Delivery(
                recipient=AGENCY,
                channel="topic",
                outcome=DeliveryOutcome.DELIVERED,
                agency=AGENCY,
                agreement_id=AGREEMENT,
                agreement_version=3,
                withheld=(WithheldField(field="text", reason="not_granted"),),
                proof="agency.phetchabun-rescue.incidents/0/118",
            ),
        ),
    ),
    IncidentShared(
        agency=AGENCY,
        incident_id=INCIDENT,
        seq=1,
        presence=Presence.ENTERED,
        happened="task.assigned",
        changed=("tasks",),
        view=SharedView(
            lifecycle=Lifecycle.ASSIGNED,
            category="road_accident",
            priority=Priority.P1,
            point=POINT,
            reports=(REPORT,),
            tasks=TASKS,
        ),
        agreement_id=AGREEMENT,
        agreement_version=3,
    ),
    AgencyHeartbeat(agency=AGENCY, sent_at=NOW, next_by=LATER),
    ResponseSubmitted(verb=Verb.TASK_EN_ROUTE, incident_id=INCIDENT, task_id=TASK, unit_id=UNIT),
)
