"""What `incidents` says about reports, folded into a few documents. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts import Event, IncidentHandedOver, IncidentLinked, IncidentOpened, IncidentUnlinked
from shared.contracts.incident import IncidentEvent
from shared.contracts.view import Lifecycle


class ReportStatus(StrEnum):
    """Where a report stands, in the reporter's words; in the order in which it goes."""

    RECEIVED = "received"
    LINKED = "linked"
    UNIT_ON_THE_WAY = "unit_on_the_way"
    UNIT_ON_SCENE = "unit_on_scene"
    RESOLVED = "resolved"
    CLOSED = "closed"


ORDER = list(ReportStatus)
_OF = {
    Lifecycle.EN_ROUTE: ReportStatus.UNIT_ON_THE_WAY,
    Lifecycle.ON_SCENE: ReportStatus.UNIT_ON_SCENE,
    Lifecycle.RESOLVED: ReportStatus.RESOLVED,
    Lifecycle.CLOSED: ReportStatus.CLOSED,
}


class Followed(BaseModel):
    """What intake remembers of an incident."""

    model_config = ConfigDict(frozen=True)

    desk: str
    """Which is to be told of an erasure."""
    lifecycle: Lifecycle


class Told(BaseModel):
    """What a reporter is told: no ids of units or incidents, nothing personal."""

    status: ReportStatus = Field(description="Where the report stands")
    personal_data_erased: bool = Field(description="Whether the reporter had their personal data erased")


@dataclass(slots=True)
class Changes:
    """What a run of events comes to; links are (report id, incident id)."""

    incidents: dict[str, Followed] = field(default_factory=dict)
    links: dict[tuple[str, str], bool] = field(default_factory=dict)
    """True where the two are linked after the run, False where they are not any more."""


def changes(events: Iterable[Event[IncidentEvent]]) -> Changes:
    """Fold events, in their order."""
    found = Changes()
    for event in events:
        data = event.data
        found.incidents[data.incident_id] = Followed(desk=_desk(data), lifecycle=data.view.lifecycle)
        if isinstance(data, IncidentUnlinked):
            found.links[data.report_id, data.incident_id] = False
        for report_id in _linked(data):
            found.links[report_id, data.incident_id] = True
    return found


def status_of(incidents: Sequence[Followed]) -> ReportStatus:
    """Return where a report stands that is linked to these incidents: as far as the furthest."""
    statuses = [_OF.get(incident.lifecycle, ReportStatus.LINKED) for incident in incidents]
    return max(statuses, key=ORDER.index, default=ReportStatus.RECEIVED)


def _desk(data: IncidentEvent) -> str:
    """Return whom to tell of an erasure. While an incident is on its way its old desk, which passes it on."""
    return data.from_desk if isinstance(data, IncidentHandedOver) else data.view.desk


def _linked(data: IncidentEvent) -> list[str]:
    """Return the reports that an event says are linked; a suggestion is not a link yet."""
    confirmed = [link.report_id for link in data.view.reports if not link.suggested]
    if isinstance(data, IncidentLinked):
        return [data.report_id] if data.report_id in confirmed else []
    whole = isinstance(data, IncidentOpened | IncidentHandedOver) or "reports" in data.changed
    return confirmed if whole and not isinstance(data, IncidentUnlinked) else []
