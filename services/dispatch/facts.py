"""What only a desk's own log knows."""

from typing import ClassVar

from services.dispatch.state import Task
from services.dispatch.told import Told
from shared.contracts import CommandRequested, EventData, ReportErased
from shared.contracts.values import DeskCode, Id, Note


class ReportTaken(EventData):
    """A report belongs to an incident, and why."""

    type: ClassVar[str] = "th.ruamjai.desk.report_taken.v1"
    subject_field: ClassVar[str] = "incident_id"

    incident_id: Id
    told: Told
    reason: Note = ""


class ReportDropped(EventData):
    """A report no longer belongs to an incident."""

    type: ClassVar[str] = "th.ruamjai.desk.report_dropped.v1"
    subject_field: ClassVar[str] = "incident_id"

    incident_id: Id
    report_id: Id


class TaskKept(EventData):
    """A task of this desk as it is now."""

    type: ClassVar[str] = "th.ruamjai.desk.task_kept.v1"
    subject_field: ClassVar[str] = "incident_id"

    incident_id: Id
    task: Task


class TaskDropped(EventData):
    """This desk no longer owns a task."""

    type: ClassVar[str] = "th.ruamjai.desk.task_dropped.v1"
    subject_field: ClassVar[str] = "task_id"

    task_id: Id


class UnitMissed(EventData):
    """A unit did not answer, or has answered again."""

    type: ClassVar[str] = "th.ruamjai.desk.unit_missed.v1"
    subject_field: ClassVar[str] = "unit_id"

    unit_id: Id
    missed: bool = True


class IncidentLeft(EventData):
    """An incident is no longer here: handed over to `to`, or closed long enough."""

    type: ClassVar[str] = "th.ruamjai.desk.incident_left.v1"
    subject_field: ClassVar[str] = "incident_id"

    incident_id: Id
    seq: int
    to: DeskCode | None = None


class Held(EventData):
    """What is meant for an incident that is on its way to another desk."""

    type: ClassVar[str] = "th.ruamjai.desk.held.v1"
    subject_field: ClassVar[str] = "incident_id"

    incident_id: Id
    meant: CommandRequested | ReportErased


class DeskAsked(EventData):
    """The new home desk has been asked to take an incident; the rest goes straight on."""

    type: ClassVar[str] = "th.ruamjai.desk.desk_asked.v1"
    subject_field: ClassVar[str] = "incident_id"

    incident_id: Id
