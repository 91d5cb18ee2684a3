"""The canonical stream: what happened to an incident, numbered without gaps by its home desk."""

from typing import ClassVar

from pydantic import Field

from shared.contracts.event import EventData
from shared.contracts.values import Code, DeskCode, Id
from shared.contracts.view import IncidentView


class IncidentEvent(EventData):
    """Base of every numbered event of an incident: what changed, and all there is to know now."""

    subject_field: ClassVar[str] = "incident_id"

    incident_id: Id = Field(description="Id of the incident")
    seq: int = Field(ge=1, description="Number of the event within the incident: 1, 2, 3 ... without gaps")
    changed: tuple[Code, ...] = Field(
        default=(), max_length=32, fail_fast=True, description="Names of the fields of `view` that changed"
    )
    view: IncidentView = Field(description="The incident after the event, in full")


class IncidentOpened(IncidentEvent):
    """A desk opened an incident for one or more reports."""

    type: ClassVar[str] = "th.ruamjai.incident.opened.v1"


class IncidentUpdated(IncidentEvent):
    """Something about the incident changed that has no event type of its own."""

    type: ClassVar[str] = "th.ruamjai.incident.updated.v1"


class IncidentLinked(IncidentEvent):
    """One more report is about this incident."""

    type: ClassVar[str] = "th.ruamjai.incident.linked.v1"

    report_id: Id = Field(description="The report that was linked")


class IncidentUnlinked(IncidentEvent):
    """A link was undone; the report itself stays."""

    type: ClassVar[str] = "th.ruamjai.incident.unlinked.v1"

    report_id: Id = Field(description="The report that was unlinked")


class IncidentHandedOver(IncidentEvent):
    """The last event the old home desk numbers; `view.desk` is the new one and goes on with `seq` + 1."""

    type: ClassVar[str] = "th.ruamjai.incident.handed_over.v1"

    from_desk: DeskCode = Field(description="The old home desk")


class IncidentClosed(IncidentEvent):
    """The home desk closed the incident; a later event of it means it was reopened."""

    type: ClassVar[str] = "th.ruamjai.incident.closed.v1"

    outcome: Code = Field(description="How it ended: resolved, hoax, duplicate ...; an open list")
