"""What tests of notify are made of: agreements, incidents, and a rehearsal that knows them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.notify.book import Book
from services.notify.handlers import Sharing
from services.notify.verdict import Verdict
from shared.bus.testing import NOON, Rehearsal
from shared.contracts import (
    AgreementPublished,
    AgreementWithdrawn,
    DeliveryRecorded,
    EventData,
    IncidentClosed,
    IncidentOpened,
    IncidentShared,
    IncidentUpdated,
)
from shared.contracts.agreement import AgreementEvent, Terms
from shared.contracts.delivery import Delivery
from shared.contracts.incident import IncidentEvent
from shared.contracts.values import GeoPoint, Place, Priority
from shared.contracts.view import IncidentView, Lifecycle, ReportLink, TaskState, TaskView

DAY = timedelta(days=1)
RESCUE, HOSPITAL = "rescue", "hospital"
INCIDENT = "inc-1"
PLACE = Place(tambon="670101", amphoe="6701", province="67", zones=("zone-market",))


def terms(**given: Any) -> Terms:
    """Terms for road accidents in Phetchabun, a day long, that show the lifecycle and the category."""
    usual: dict[str, Any] = {
        "version": 1,
        "categories": ("road_accident",),
        "areas": ("67",),
        "fields": ("lifecycle", "category"),
        "valid_from": NOON - DAY,
        "valid_until": NOON + DAY,
    }
    return Terms(**usual | given)


def agreement(
    agency: str = RESCUE, *versions: Terms, id_: str | None = None, **given: Any
) -> AgreementPublished:
    """An agreement with `agency`, of these versions, or of one that differs as `given`."""
    return AgreementPublished(
        agreement_id=id_ or f"mou-{agency}",
        agency=agency,
        parties=(agency,),
        terms=versions or (terms(**given),),
    )


def withdrawn(published: AgreementEvent, at: datetime) -> AgreementWithdrawn:
    """The same agreement, at an end `at`."""
    return AgreementWithdrawn(
        agreement_id=published.agreement_id,
        agency=published.agency,
        parties=published.parties,
        terms=published.terms,
        effective_at=at,
    )


def view(**given: Any) -> IncidentView:
    """A road accident in the town of Phetchabun with every field filled in."""
    task = TaskView(
        task_id="task-1", desk="desk-1", agency="rescue", state=TaskState.ASSIGNED, assigned_at=NOON
    )
    usual: dict[str, Any] = {
        "desk": "670101",
        "lifecycle": Lifecycle.RECEIVED,
        "category": "road_accident",
        "priority": Priority.P2,
        "text": "รถชน",
        "point": GeoPoint(lat=16.41894, lon=101.15672),
        "place": PLACE,
        "opened_at": NOON,
        "report_count": 1,
        "reports": (ReportLink(report_id="rep-1", linked_at=NOON),),
        "tasks": (task,),
    }
    return IncidentView(**usual | given)


def opened(incident: str = INCIDENT, **given: Any) -> IncidentOpened:
    """Its first event."""
    return IncidentOpened(incident_id=incident, seq=1, view=view(**given))


def closed(seq: int = 2, incident: str = INCIDENT) -> IncidentClosed:
    """The end of an incident."""
    over = view(lifecycle=Lifecycle.CLOSED)
    return IncidentClosed(
        incident_id=incident, seq=seq, outcome="resolved", changed=("lifecycle",), view=over
    )


def updated(seq: int, *changed: str, incident: str = INCIDENT, **given: Any) -> IncidentUpdated:
    """A later one."""
    return IncidentUpdated(incident_id=incident, seq=seq, changed=changed, view=view(**given))


class Hands:
    """A clock's hands."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Stage(Rehearsal[Any]):
    """A rehearsal of the decider, with agreements that a test may exchange."""

    def __init__(self, *agreements: AgreementEvent) -> None:
        self.book, self.counted = Book(agreements), list[Verdict]()
        self.without_topic = set[str]()
        super().__init__(
            Sharing(lambda: self.book, lambda agency: agency not in self.without_topic, self.counted.extend)
        )

    def now_agreed(self, *agreements: AgreementEvent) -> None:
        """Exchange the agreements."""
        self.book = Book(agreements)

    def hear(self, data: IncidentEvent) -> list[EventData]:
        """Tell of an incident's event."""
        return self.tell(data.incident_id, data)


def shared(events: Iterable[EventData], agency: str | None = None) -> list[IncidentShared]:
    """What went to agencies, or to one."""
    found = [event for event in events if isinstance(event, IncidentShared)]
    return [event for event in found if agency in (None, event.agency)]


def recorded(events: Iterable[EventData]) -> Sequence[Delivery]:
    """What the ledger says of them."""
    return [d for event in events if isinstance(event, DeliveryRecorded) for d in event.deliveries]
