"""What passes between the platform and one partner agency on that agency's own topics."""

from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime, Field

from shared.contracts.command import CommandBody
from shared.contracts.event import EventData, Model
from shared.contracts.values import AgencyCode, Code, DottedCode, GeoPoint, Id, Place, Priority, Text
from shared.contracts.view import Lifecycle, TaskView


class Presence(StrEnum):
    """Whether an incident comes into an agency's view, stays there or leaves it."""

    ENTERED = "entered"
    UPDATED = "updated"
    LEFT = "left"


class SharedView(Model):
    """An incident as one agreement lets an agency see it; null is unknown or not granted, alike."""

    lifecycle: Lifecycle | None = Field(default=None, description="Where the incident stands")
    category: Code | None = Field(default=None, description="What it is about; an open list")
    priority: Priority | None = Field(default=None, description="How soon somebody must go")
    text: Text | None = Field(default=None, description="What is known, masked; <= 8,000 characters")
    point: GeoPoint | None = Field(default=None, description="Where it happens, exact or blurred")
    place: Place | None = Field(default=None, description="Areas and zones around the point")
    opened_at: AwareDatetime | None = Field(default=None, description="When it was opened")
    reports: tuple[Id, ...] | None = Field(
        default=None, max_length=500, fail_fast=True, description="Report ids, to ask the disclosure API for"
    )
    tasks: tuple[TaskView, ...] | None = Field(
        default=None, max_length=100, fail_fast=True, description="The agencies' parts, oldest first"
    )


class IncidentShared(EventData):
    """An incident's event as one agency may know it. Drop `seq` <= the last seen; a jump means loss."""

    type: ClassVar[str] = "th.ruamjai.incident.shared.v1"
    subject_field: ClassVar[str] = "incident_id"

    agency: AgencyCode = Field(description="The agency it is shared with")
    incident_id: Id = Field(description="Id of the incident")
    seq: int = Field(ge=1, description="Number within (agency, incident): 1, 2, 3 ... without gaps")
    presence: Presence = Field(description="First event here, a later one, or the last one")
    happened: DottedCode = Field(description="What happened, such as `task.assigned`; an open list")
    changed: tuple[Code, ...] = Field(
        default=(), max_length=32, fail_fast=True, description="Names of the fields of `view` that changed"
    )
    view: SharedView | None = Field(default=None, description="The incident now; null when it has left")
    agreement_id: Id = Field(description="The agreement it is shared under")
    agreement_version: int = Field(ge=1, description="Version of that agreement")


class AgencyHeartbeat(EventData):
    """Sent every minute, so that quiet and broken differ."""

    type: ClassVar[str] = "th.ruamjai.agency.heartbeat.v1"
    subject_field: ClassVar[str] = "agency"

    agency: AgencyCode = Field(description="The agency whose topic it is")
    sent_at: AwareDatetime = Field(description="When it was sent")
    next_by: AwareDatetime = Field(description="Raise an alarm when none has come by then")


class ResponseSubmitted(CommandBody):
    """An agency's system answers about an incident; the gateway finds the desk and writes the command."""

    type: ClassVar[str] = "th.ruamjai.response.submitted.v1"
    subject_field: ClassVar[str] = "incident_id"

    incident_id: Id = Field(description="The incident it is about")
