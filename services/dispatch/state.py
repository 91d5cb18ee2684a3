"""What a desk remembers: its incidents, the tasks it owns, its units, and what has left it."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, model_validator

from services.dispatch.layer import Layer
from services.dispatch.nearby import Nearby
from services.dispatch.told import Told
from services.dispatch.waiting import Waiting, Want, role_of
from shared.contracts import CommandRequested, ReportErased, Status
from shared.contracts.event import Model
from shared.contracts.task import EscalationStep
from shared.contracts.unit import UnitState
from shared.contracts.values import DeskCode, GeoPoint, Id, Priority
from shared.contracts.view import IncidentView, Lifecycle, TaskState


class Incident(Model):
    """An incident whose home is this desk; `told` are its newest reports."""

    seq: int
    view: IncidentView
    status: Status
    told: tuple[Told, ...] = ()
    since: int | None = None
    """The `seq` since which it stands where it stands, None where an older release did not note it."""

    def shown(self, incident_id: str) -> tuple[Told, ...]:
        """Return what later reports are compared with: where none is known any more, what the view says."""
        return self.told or (Told.of_view(self.view, incident_id),)

    def stands(self, lifecycle: Lifecycle, since: int) -> bool:
        """Whether it stands at `lifecycle` and has not been elsewhere after the event `since`."""
        return self.view.lifecycle is lifecycle and self.since in (None, since)


class Task(Model):
    """A task this desk owns. `view` is the incident as its home desk told it, None when that is this desk."""

    task_id: Id
    incident_id: Id
    home: DeskCode
    status: Status
    state: TaskState = TaskState.ASSIGNED
    assigned_at: AwareDatetime
    due: AwareDatetime | None = None
    unit: Id | None = None
    tried: tuple[Id, ...] = ()
    attempt: int = 0
    step: EscalationStep | None = None
    moved: bool = False
    """Whether it came from a desk where nobody answered; then it goes no further."""
    view: IncidentView | None = None

    @property
    def waiting(self) -> bool:
        """Whether it needs a unit and has none."""
        return self.unit is None and self.state is TaskState.ASSIGNED


class UnitNow(Model):
    """What a unit does now; one never heard of is available where the pack says it stands."""

    state: UnitState = UnitState.AVAILABLE
    point: GeoPoint | None = None
    task_id: Id | None = None
    missed: bool = False
    """Whether it did not answer its last task; then it is sent only when no other is idle."""


UNHEARD = UnitNow()


@dataclass(frozen=True, slots=True)
class Gone:
    """An incident that left: its last `seq`, and the desk it went to, None when it was closed.

    Until that desk has been asked to take it, what is meant for it is `held` back in order. A desk remembers
    thousands: a model would take twice the memory.
    """

    seq: int
    to: DeskCode | None = None
    asked: bool = False
    held: tuple[CommandRequested | ReportErased, ...] = ()


class Desk(BaseModel):
    """The state of one desk, and indexes of it: not private attributes, which pydantic is slow to find."""

    incidents: dict[str, Incident] = {}
    tasks: dict[str, Task] = {}
    units: dict[str, UnitNow] = {}
    gone: dict[str, Gone] = {}

    @cached_property
    def nearby(self) -> Nearby:
        """The index of the reports that incidents hold; `keep`, `retell` and `forget` keep it."""
        return Nearby()

    @cached_property
    def waiting(self) -> Waiting:
        """The index of the tasks that wait; `keep`, `keep_task` and `drop_task` keep it."""
        return Waiting()

    @cached_property
    def parts(self) -> MutableMapping[str, tuple[str, ...]]:
        """The index of the tasks by incident: their ids, in the order of `tasks`; kept like the one above."""
        return {}

    @model_validator(mode="after")
    def _index(self) -> Self:
        for incident_id, held in self.incidents.items():
            self.nearby.retell(incident_id, (), held.told)
        self.nearby.silent = {incident_id for incident_id, held in self.incidents.items() if not held.told}
        for task in self.tasks.values():
            self._add_part(task)
            self._note(task)
        return self

    def keep(self, incident_id: str, incident: Incident) -> None:
        """Let an incident stand as it now does; the reports it holds are those it held."""
        before, self.incidents[incident_id] = self.incidents.get(incident_id), incident
        if before is None or _kind(before.view) != _kind(incident.view):  # what its tasks here want follows
            for entry in incident.view.tasks:
                if (task := self.tasks.get(entry.task_id)) is not None:
                    self._note(task)
        if not incident.told:
            self.nearby.silent.add(incident_id)

    def retell(self, incident_id: str, told: tuple[Told, ...]) -> None:
        """Let an incident that is here hold the reports `told`."""
        known = self.incidents[incident_id]
        self.nearby.retell(incident_id, known.told, told)
        self.nearby.silent.discard(incident_id)
        self.keep(incident_id, known.model_copy(update={"told": told}))

    def forget(self, incident_id: str) -> None:
        """Let an incident, if it is here, leave."""
        if (known := self.incidents.pop(incident_id, None)) is not None:
            self.nearby.retell(incident_id, known.told, ())
            self.nearby.silent.discard(incident_id)

    def keep_task(self, task: Task) -> None:
        """Let a task of this desk stand as it now does."""
        if task.task_id not in self.tasks:
            self._add_part(task)
        self.tasks[task.task_id] = task
        self._note(task)

    def drop_task(self, task_id: str) -> None:
        """Own a task, if it is here, no longer."""
        if (known := self.tasks.pop(task_id, None)) is not None:
            left = tuple(id_ for id_ in self.parts.pop(known.incident_id) if id_ != task_id)
            if left:
                self.parts[known.incident_id] = left
        self.waiting.note(task_id, None)

    def tasks_of(self, incident_id: str | None) -> list[Task]:
        """Return this desk's tasks of an incident, without looking at the others."""
        return [self.tasks[task_id] for task_id in self.parts.get(incident_id or "", ())]

    def _add_part(self, task: Task) -> None:
        self.parts[task.incident_id] = (*self.parts.get(task.incident_id, ()), task.task_id)

    def _note(self, task: Task) -> None:
        held = self.incidents.get(task.incident_id)
        view = task.view or (held and held.view)
        self.waiting.note(task.task_id, want_of(task, view) if view and task.waiting else None)

    def fork(self) -> "Desk":
        """Return a copy to change while this one stays as it is; what it holds is frozen and shared."""
        names = (*Desk.model_fields, "parts")
        layers: dict[str, Any] = {name: Layer(getattr(self, name)) for name in names}
        return self.model_copy(
            update={**layers, "nearby": self.nearby.fork(), "waiting": self.waiting.fork()}
        )


def want_of(task: Task, view: IncidentView) -> Want:
    """Return what decides which units may go to `task` of the incident `view`."""
    return Want(role_of(task.task_id), view.category, view.priority)


def _kind(view: IncidentView) -> tuple[str, Priority]:
    return view.category, view.priority
