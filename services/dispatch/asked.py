"""What a command is about, and whether its sender may ask: every refusal has a reason, of a closed list."""

from enum import StrEnum

from services.dispatch.incidents import OVER
from services.dispatch.state import Incident, Task
from services.dispatch.turn import Turn
from shared.contracts import CommandRequested
from shared.contracts.view import Lifecycle, TaskView
from shared.pack import UnitSpec


class Why(StrEnum):
    """Why a command is refused."""

    UNKNOWN_VERB = "unknown_verb"
    UNKNOWN_INCIDENT = "unknown_incident"
    UNKNOWN_TASK = "unknown_task"
    UNKNOWN_UNIT = "unknown_unit"
    UNKNOWN_REPORT = "unknown_report"
    OTHER_DESK = "other_desk"
    UNKNOWN_DESK = "unknown_desk"
    NOT_ALLOWED = "not_allowed"
    INCIDENT_CLOSED = "incident_closed"
    NOT_CLOSED = "not_closed"
    TASK_OVER = "task_over"
    OUT_OF_ORDER = "out_of_order"
    UNIT_BUSY = "unit_busy"
    NO_TASK = "no_task"
    ALREADY_HELD = "already_held"
    ALREADY_LINKED = "already_linked"
    LAST_REPORT = "last_report"
    STATUS_DIFFERS = "status_differs"
    TOO_MANY_TASKS = "too_many_tasks"
    MOVING = "moving"
    INCOMPLETE = "incomplete"


class Refused(Exception):  # noqa: N818  (an answer, not an error)
    """The desk does not do what it was asked."""

    def __init__(self, reason: Why, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class Elsewhere(Exception):  # noqa: N818
    """Another desk decides on this."""

    def __init__(self, desk: str) -> None:
        super().__init__(desk)
        self.desk = desk


def from_desk(command: CommandRequested) -> str | None:
    """Return the desk that asks, None when it is a person or an agency.

    It may be this one: what it told an old home desk comes back when the incident has moved here.
    """
    kind, _, name = command.actor.partition(":")
    return name if kind == "desk" else None


def permit(turn: Turn, command: CommandRequested) -> None:
    """Refuse whoever has no say in what this desk holds: its own agency and officers have."""
    kind, _, name = command.actor.partition(":")
    own = turn.rules.spec(turn.desk).agency
    if not (kind == "officer" or (kind == "agency" and name == own)):
        raise Refused(Why.NOT_ALLOWED, f"only officers and agency {own} decide on this")


def home_incident(turn: Turn, command: CommandRequested) -> tuple[str, Incident]:
    """Return the incident meant, whose home is here. Raises Refused, or Elsewhere when it was handed over."""
    id_ = command.incident_id
    if id_ is None:
        raise Refused(Why.INCOMPLETE, "incident_id is missing")
    if (held := turn.state.incidents.get(id_)) is not None:
        return id_, held
    gone = turn.state.gone.get(id_)
    if gone is None:
        raise Refused(Why.UNKNOWN_INCIDENT, "no such incident at this desk")
    if gone.to is not None:
        raise Elsewhere(gone.to)
    raise Refused(Why.INCIDENT_CLOSED, "the incident is closed")


def open_incident(turn: Turn, command: CommandRequested) -> tuple[str, Incident]:
    """Return the incident meant, which may be changed by whoever asks."""
    id_, held = home_incident(turn, command)
    permit(turn, command)
    if held.view.lifecycle is Lifecycle.CLOSED:
        raise Refused(Why.INCIDENT_CLOSED, "the incident is closed; reopen it first")
    return id_, held


def own_task(turn: Turn, command: CommandRequested) -> Task:
    """Return the task of this desk that is meant: by its id, by its unit, or the incident's only one here."""
    found = _by_id(turn, command) or _by_unit(turn, command) or _by_incident(turn, command)
    if found is None:
        raise _elsewhere_or_unknown(turn, command)
    permit(turn, command)
    return found


def _by_id(turn: Turn, command: CommandRequested) -> Task | None:
    found = turn.state.tasks.get(command.task_id) if command.task_id else None
    return found if command.incident_id in (None, found and found.incident_id) else None


def _by_unit(turn: Turn, command: CommandRequested) -> Task | None:
    if command.task_id or not command.unit_id or command.unit_id not in turn.state.units:
        return None
    task = turn.state.tasks.get(turn.state.units[command.unit_id].task_id or "")
    return task if task and command.incident_id in (None, task.incident_id) else None


def _by_incident(turn: Turn, command: CommandRequested) -> Task | None:
    if command.task_id or command.incident_id is None:
        return None
    kind, _, name = command.actor.partition(":")
    if kind == "agency" and name != turn.rules.spec(turn.desk).agency:
        return None  # it means its own task
    here = turn.state.tasks_of(command.incident_id)
    return here[0] if len(here) == 1 else None


def _elsewhere_or_unknown(turn: Turn, command: CommandRequested) -> Exception:
    try:
        _, held = home_incident(turn, command)
    except (Refused, Elsewhere) as answer:
        return answer
    seen = meant(turn, command, held)
    if seen is not None and seen.state in OVER:
        return Refused(Why.TASK_OVER, "the task is over")
    if seen is None or seen.desk == turn.desk:
        return Refused(Why.UNKNOWN_TASK, "no such task here; name it by task_id")
    return Elsewhere(seen.desk)


def meant(turn: Turn, command: CommandRequested, held: Incident) -> TaskView | None:
    """Return the task that is meant, as the incident's view has it: by its id, or by its agency."""
    kind, _, agency = command.actor.partition(":")
    by_agency = kind == "agency" and command.task_id is None
    found = [
        task
        for task in held.view.tasks
        if task.task_id == command.task_id or (by_agency and task.agency == agency)
    ]
    return found[-1] if found else None


def own_unit(turn: Turn, command: CommandRequested) -> UnitSpec:
    """Return the unit of this desk that is meant."""
    unit = turn.rules.units.get(command.unit_id or "")
    if unit is None:
        raise Refused(Why.UNKNOWN_UNIT, "no such unit")
    if unit.desk != turn.desk:
        raise Elsewhere(unit.desk)
    permit(turn, command)
    return unit
