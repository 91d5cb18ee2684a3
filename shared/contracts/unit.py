"""Somebody who can be sent: what a unit is doing now."""

from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime, Field

from shared.contracts.event import EventData
from shared.contracts.values import AgencyCode, DeskCode, GeoPoint, Id


class UnitState(StrEnum):
    """What a unit is doing; only an available one is recommended."""

    AVAILABLE = "available"
    ASSIGNED = "assigned"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    UNAVAILABLE = "unavailable"
    OFF_DUTY = "off_duty"


class UnitStatusChanged(EventData):
    """A unit is doing something else than before."""

    type: ClassVar[str] = "th.ruamjai.unit.status_changed.v1"
    subject_field: ClassVar[str] = "unit_id"

    unit_id: Id = Field(description="Id of the unit")
    desk: DeskCode = Field(description="The desk the unit belongs to")
    agency: AgencyCode = Field(description="The agency the unit belongs to")
    state: UnitState = Field(description="What it is doing now")
    changed_at: AwareDatetime = Field(description="When the platform learnt of it")
    incident_id: Id | None = Field(default=None, description="The incident it is committed to, if any")
    task_id: Id | None = Field(default=None, description="The task it works on, if any")
    point: GeoPoint | None = Field(default=None, description="Where it was last seen")
