"""The full current view of an incident, as every event of the canonical stream carries it."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from shared.contracts.event import Model
from shared.contracts.values import AgencyCode, Code, DeskCode, GeoPoint, Id, Place, Priority, Text


class Lifecycle(StrEnum):
    """Where an incident stands; the first responder on scene moves it there."""

    RECEIVED = "received"
    ASSIGNED = "assigned"
    ACKNOWLEDGED = "acknowledged"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    RESOLVED = "resolved"
    CLOSED = "closed"


class TaskState(StrEnum):
    """Where one agency's part of an incident stands."""

    ASSIGNED = "assigned"
    ACKNOWLEDGED = "acknowledged"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class ReportLink(Model):
    """One report of an incident."""

    report_id: Id = Field(description="Id of the report")
    linked_at: AwareDatetime = Field(description="When the desk linked it")
    suggested: bool = Field(default=False, description="Offered, not yet confirmed by a person")
    erased: bool = Field(default=False, description="Whether its personal data has been erased")


class TaskView(Model):
    """One agency's part of an incident, as its desk last reported it."""

    task_id: Id = Field(description="Id of the task")
    desk: DeskCode = Field(description="The one desk that owns the task")
    agency: AgencyCode = Field(description="The agency whose part it is")
    state: TaskState = Field(description="Where the task stands")
    units: tuple[Id, ...] = Field(
        default=(), max_length=32, fail_fast=True, description="Ids of the units sent, all of the task's desk"
    )
    assigned_at: AwareDatetime = Field(description="When it was assigned")
    acknowledge_by: AwareDatetime | None = Field(
        default=None, description="When it escalates unless acknowledged; null once it is"
    )


class IncidentView(Model):
    """Everything an in-house consumer needs to know of an incident, without having read what came before."""

    desk: DeskCode = Field(description="The home desk, which alone numbers the incident's events")
    lifecycle: Lifecycle = Field(description="Where the incident stands")
    category: Code = Field(description="What it is about; an open list")
    priority: Priority = Field(description="How soon somebody must go")
    text: Text = Field(default="", description="What is known, personal numbers masked; <= 8,000 characters")
    point: GeoPoint | None = Field(default=None, description="Where it happens")
    place: Place = Field(default=Place(), description="Areas and zones around the point")
    opened_at: AwareDatetime = Field(description="When the home desk opened it")
    report_count: int = Field(ge=0, description="How many reports are linked, also those not listed")
    reports: tuple[ReportLink, ...] = Field(
        default=(), max_length=500, fail_fast=True, description="The linked reports, the newest 500"
    )
    tasks: tuple[TaskView, ...] = Field(
        default=(), max_length=100, fail_fast=True, description="The agencies' parts, oldest first"
    )

    @property
    def linked(self) -> tuple[str, ...]:
        """The ids of its reports: neither those that are only offered nor those that are erased."""
        return tuple(link.report_id for link in self.reports if not (link.suggested or link.erased))
