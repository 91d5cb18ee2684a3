"""What one person or device told us: received by intake, located by geo, erased when the law says so."""

from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime, Field

from shared.contracts.event import EventData
from shared.contracts.values import (
    UNKNOWN_CATEGORY,
    Code,
    DeskCode,
    GeoPoint,
    Id,
    Place,
    Priority,
    Sealed,
    Text,
)


class Reporter(StrEnum):
    """What kind of source told us; hotspots count citizens only."""

    CITIZEN = "citizen"
    OFFICER = "officer"
    SENSOR = "sensor"


class ReportBody(EventData):
    """The fields of a report, the same from intake to the desk."""

    subject_field: ClassVar[str] = "report_id"

    report_id: Id = Field(description="Id of the report")
    received_at: AwareDatetime = Field(description="When the platform took it; decisions use this time")
    reported_at: AwareDatetime | None = Field(
        default=None, description="When the device says it was written; data, never a basis of decisions"
    )
    channel: Code = Field(description="How it came in: web, line, phone, sensor ...")
    reporter: Reporter = Field(description="What kind of source it is")
    category: Code = Field(default=UNKNOWN_CATEGORY, description="What it is about; an open list")
    priority: Priority = Field(default=Priority.P3, description="How soon somebody must go")
    text: Text = Field(
        default="", description="Normalised text, personal numbers masked; <= 8,000 characters"
    )
    point: GeoPoint | None = Field(default=None, description="Where it happens, when the reporter said so")
    sealed: Sealed | None = Field(default=None, description="Personal data, encrypted per report")


class ReportReceived(ReportBody):
    """Intake has made a report durable."""

    type: ClassVar[str] = "th.ruamjai.report.received.v1"


class ReportLocated(ReportBody):
    """Geo knows which desk decides about a report; without a known place that is a triage desk."""

    type: ClassVar[str] = "th.ruamjai.report.located.v1"

    desk: DeskCode = Field(description="The desk this copy is for")
    place: Place = Field(default=Place(), description="Areas and zones around the point")
    neighbours: tuple[DeskCode, ...] = Field(
        default=(), max_length=16, fail_fast=True, description="Desks whose border is within 150 metres"
    )


class ReportErased(EventData):
    """A report's key is gone and with it the person; whoever read the sealed block must forget it too."""

    type: ClassVar[str] = "th.ruamjai.report.erased.v1"
    subject_field: ClassVar[str] = "report_id"

    report_id: Id = Field(description="Id of the report")
    incident_id: Id = Field(description="The incident the report is linked to")
    desk: DeskCode = Field(description="Home desk of that incident")
    erased_at: AwareDatetime = Field(description="When the key was deleted")
