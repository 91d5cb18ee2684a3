"""What leaves of a view: granted fields only, byte for byte."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.notify.fields import BLURRED, GRANTABLE
from shared.bus.testing import NOON
from shared.contracts import CommandAccepted, IncidentLinked, ReportErased, TaskAssigned
from shared.contracts.agency import Presence, SharedView
from shared.contracts.kafka import dump
from shared.contracts.values import GeoPoint, Place, Priority
from shared.contracts.view import Lifecycle, ReportLink, TaskState, TaskView
from tests.notify.support import INCIDENT, Stage, agreement, opened, recorded, shared, updated, view

CANARIES = {
    "text": "canary-text",
    "place": "canary-zone",
    "reports": "canary-report",
    "tasks": "canary-task",
    "point": "16.412345",
    "opened_at": "2025-07-09T01:02:03",
    "priority": "P4",
    "lifecycle": "on_scene",
    "category": "road_accident",
}
NEVER = ("canary-desk", "canary-erased", "canary-suggested", "4711")


def canary_view() -> dict[str, Any]:
    """A view with a string of its own in every field."""
    task = TaskView(task_id="canary-task", desk="d", agency="a", state=TaskState.EN_ROUTE, assigned_at=NOON)
    links = (
        ReportLink(report_id="canary-report", linked_at=NOON),
        ReportLink(report_id="canary-erased", linked_at=NOON, erased=True),
        ReportLink(report_id="canary-suggested", linked_at=NOON, suggested=True),
    )
    return {
        "desk": "canary-desk",
        "lifecycle": Lifecycle.ON_SCENE,
        "priority": Priority.P4,
        "text": "canary-text",
        "point": GeoPoint(lat=16.412345, lon=101.1),
        "place": Place(tambon="670101", zones=("canary-zone",)),
        "opened_at": NOON.replace(year=2025, month=7, day=9, hour=1, minute=2, second=3),
        "report_count": 4711,
        "reports": links,
        "tasks": (task,),
    }


@given(fields=st.sets(st.sampled_from(sorted(GRANTABLE)), min_size=1))
def test_only_granted_fields_appear_in_the_bytes_that_leave(fields: set[str]) -> None:
    told = Stage(agreement(fields=tuple(fields))).hear(opened(**canary_view()))
    [event] = shared(told)
    body = dump(event).decode()
    for name, canary in CANARIES.items():
        assert (canary in body) == (name in fields), name
    assert not [canary for canary in NEVER if canary in body]
    [delivery] = recorded(told)
    withheld = {w.field for w in delivery.withheld if w.reason == "not_granted"}
    blurred = {"point"} if BLURRED in fields else set()
    assert withheld == CANARIES.keys() - fields - blurred


def test_a_blurred_point_is_a_kilometre_wide_and_the_ledger_says_blurred() -> None:
    told = Stage(agreement(fields=("point_blurred",))).hear(opened())
    [event] = shared(told)
    assert event.view == SharedView(point=GeoPoint(lat=16.42, lon=101.16))
    [delivery] = recorded(told)
    assert ("point", "blurred") in {(w.field, w.reason) for w in delivery.withheld}


def test_the_ledger_lists_what_was_withheld_in_the_order_of_the_view() -> None:
    told = Stage(agreement(fields=("point_blurred", "reports", "place"))).hear(opened(**canary_view()))
    [delivery] = recorded(told)
    hidden = [
        (name, "not_granted") for name in ("lifecycle", "category", "priority", "text", "opened_at", "tasks")
    ]
    assert [(w.field, w.reason) for w in delivery.withheld] == [
        *hidden,
        ("point", "blurred"),
        ("reports", "erased"),
    ]


def test_what_is_empty_is_not_said_to_be_withheld() -> None:
    empty: dict[str, Any] = {"text": "", "point": None, "reports": (), "tasks": ()}
    [delivery] = recorded(Stage(agreement(fields=("lifecycle", "category"))).hear(opened(**empty)))
    assert [w.field for w in delivery.withheld] == ["priority", "place", "opened_at"]


def test_an_event_that_changes_nothing_granted_is_invisible_and_leaves_no_gap() -> None:
    stage = Stage(agreement())
    stage.hear(opened())
    hidden = stage.hear(updated(2, "text", text="ลับ"))
    assert shared(hidden) == []
    assert [d.reason for d in recorded(hidden)] == ["nothing_visible"]
    [seen] = shared(stage.hear(updated(3, "lifecycle", "text", lifecycle=Lifecycle.ON_SCENE)))
    assert (seen.seq, seen.changed) == (2, ("lifecycle",))


def test_the_kind_of_an_event_is_told_only_with_the_field_it_is_about() -> None:
    assigned = TaskAssigned(
        incident_id=INCIDENT,
        seq=2,
        task_id="task-1",
        changed=("tasks", "lifecycle"),
        view=view(lifecycle=Lifecycle.ASSIGNED),
    )
    blind, seeing = Stage(agreement()), Stage(agreement(fields=("lifecycle", "tasks")))
    for stage, kind in ((blind, "incident.updated"), (seeing, "task.assigned")):
        stage.hear(opened())
        [told] = shared(stage.hear(assigned))
        assert told.happened == kind


def test_a_linked_report_is_invisible_to_who_may_not_see_reports() -> None:
    linked = IncidentLinked(incident_id=INCIDENT, seq=2, report_id="rep-2", changed=("reports",), view=view())
    stage = Stage(agreement())
    stage.hear(opened())
    assert shared(stage.hear(linked)) == []


def test_an_erasure_is_told_to_everybody_who_was_ever_told_of_the_incident() -> None:
    stage = Stage(agreement(), agreement("later", valid_from=NOON + timedelta(hours=1)))
    stage.hear(opened())
    stage.now_agreed()
    assert [event.presence for event in shared(stage.advance(300))] == [Presence.LEFT]
    erased = ReportErased(report_id="rep-1", incident_id=INCIDENT, desk="670101", erased_at=NOON)
    told = stage.tell(INCIDENT, erased)
    assert told[0] == erased
    assert [d.recipient for d in recorded(told)] == ["rescue"]
    assert len(told) == 2


def test_the_outcome_of_a_command_goes_to_the_agency_that_sent_it_alone() -> None:
    stage = Stage(agreement(), agreement("hospital"))

    def accepted(actor: str) -> CommandAccepted:
        return CommandAccepted(
            command_id="cmd-1", verb="task.acknowledge", desk="d", actor=actor, incident_id=INCIDENT
        )

    told = stage.tell(INCIDENT, accepted("agency:rescue"))
    assert told[0] == accepted("agency:rescue")
    assert [d.recipient for d in recorded(told)] == ["rescue"]
    assert stage.tell(INCIDENT, accepted("officer:somchai")) == []
    assert stage.tell(INCIDENT, accepted("agency:stranger")) == []
