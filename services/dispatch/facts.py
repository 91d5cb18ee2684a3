"""What only a desk's own log knows, and how each fact, kept or published, changes the desk."""

from collections.abc import Callable
from typing import ClassVar

from services.dispatch.state import Desk, Gone, Incident, Task, Told, UnitNow
from shared.contracts import EventData, UnitStatusChanged
from shared.contracts.incident import IncidentEvent
from shared.contracts.unit import UnitState
from shared.contracts.values import DeskCode, Id, Note

MOST_TOLD = 50
"""Reports of one incident that later ones are compared with and that can be unlinked."""
MOST_GONE = 5_000
"""Incidents remembered by id after they left, so that commands about them can be forwarded or refused."""
MOVING = (UnitState.EN_ROUTE, UnitState.ON_SCENE)


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


def evolve(desk: Desk, fact: EventData) -> Desk:
    """Return `desk`, changed in place, after `fact`."""
    match fact:
        case IncidentEvent():
            _incident(desk, fact)
        case ReportTaken(incident_id=id_, told=told):
            _retell(desk, id_, lambda all_: (*all_, told)[-MOST_TOLD:])
        case ReportDropped(incident_id=id_, report_id=report_id):
            _retell(desk, id_, lambda all_: tuple(t for t in all_ if t.report_id != report_id))
        case TaskKept(task=task):
            desk.tasks[task.task_id] = task
        case TaskDropped(task_id=id_):
            desk.tasks.pop(id_, None)
        case UnitStatusChanged():
            _unit(desk, fact)
        case UnitMissed(unit_id=id_, missed=missed):
            desk.units[id_] = desk.units.get(id_, UnitNow()).model_copy(update={"missed": missed})
        case IncidentLeft():
            _left(desk, fact)
    return desk


def _incident(desk: Desk, fact: IncidentEvent) -> None:
    known = desk.incidents.get(fact.incident_id)
    told = known.told if known else ()
    desk.gone.pop(fact.incident_id, None)
    desk.incidents[fact.incident_id] = Incident.model_construct(
        seq=fact.seq, view=fact.view, status=fact.status, told=told
    )


def _retell(desk: Desk, incident_id: str, change: Callable[[tuple[Told, ...]], tuple[Told, ...]]) -> None:
    if (known := desk.incidents.get(incident_id)) is not None:
        desk.incidents[incident_id] = known.model_copy(update={"told": change(known.told)})


def _unit(desk: Desk, fact: UnitStatusChanged) -> None:
    missed = desk.units.get(fact.unit_id, UnitNow()).missed and fact.state not in MOVING
    desk.units[fact.unit_id] = UnitNow(
        state=fact.state, point=fact.point, task_id=fact.task_id, missed=missed
    )


def _left(desk: Desk, fact: IncidentLeft) -> None:
    desk.incidents.pop(fact.incident_id, None)
    desk.gone.pop(fact.incident_id, None)
    desk.gone[fact.incident_id] = Gone(seq=fact.seq, to=fact.to)
    while len(desk.gone) > MOST_GONE:
        del desk.gone[next(iter(desk.gone))]
