"""The verbs about a task and a unit, decided by the desk that owns them and then told to the home desk."""

from services.dispatch import tasks
from services.dispatch.asked import (
    Refused,
    Why,
    open_incident,
    own_task,
    own_unit,
)
from services.dispatch.escalation import escalate as escalate_task
from services.dispatch.facts import UnitMissed
from services.dispatch.incidents import ENDED
from services.dispatch.planning import MOST_TASKS, give
from services.dispatch.state import Task
from services.dispatch.turn import Turn
from services.dispatch.units import is_idle, move, unit_now
from shared.contracts import CommandRequested
from shared.contracts.command import Verb
from shared.contracts.unit import UnitState
from shared.contracts.view import TaskState

STATE_OF = {
    Verb.TASK_ACKNOWLEDGE: TaskState.ACKNOWLEDGED,
    Verb.TASK_EN_ROUTE: TaskState.EN_ROUTE,
    Verb.TASK_ON_SCENE: TaskState.ON_SCENE,
}
ORDER = (TaskState.ASSIGNED, *STATE_OF.values())
RESTING = (UnitState.AVAILABLE, UnitState.UNAVAILABLE, UnitState.OFF_DUTY)


def assign(turn: Turn, command: CommandRequested) -> None:
    """Send a unit, or give a desk a task."""
    if command.unit_id:
        _put(turn, own_task(turn, command), command)
    else:
        _add(turn, command)


def _put(turn: Turn, task: Task, command: CommandRequested) -> None:
    unit = turn.rules.units.get(command.unit_id or "")
    if unit is None or unit.desk != turn.desk:
        raise Refused(Why.UNKNOWN_UNIT, "not a unit of the desk that owns the task; give that desk a task")
    if not is_idle(turn, unit.id):
        raise Refused(Why.UNIT_BUSY, "the unit is not available")
    tasks.assign(turn, tasks.release(turn, task), unit.id)


def _add(turn: Turn, command: CommandRequested) -> None:
    id_, held = open_incident(turn, command)
    desk = turn.rules.pack.desk_by_code.get(command.args.to_desk or "")
    if desk is None:
        raise Refused(Why.UNKNOWN_DESK, "give a unit_id, or a desk of the pack as to_desk")
    if held.view.lifecycle in ENDED:
        raise Refused(Why.INCIDENT_CLOSED, "the incident is over; reopen it first")
    if len(held.view.tasks) >= MOST_TASKS:
        raise Refused(Why.TOO_MANY_TASKS, f"an incident has at most {MOST_TASKS} tasks")
    give(turn, id_, desk.role, desk.code)


def progress(turn: Turn, command: CommandRequested) -> None:
    """Acknowledge, go, arrive: only ever forward."""
    task, state = own_task(turn, command), STATE_OF[Verb(command.verb)]
    if command.unit_id not in (None, task.unit):
        raise Refused(Why.OUT_OF_ORDER, "another unit has this task")
    if ORDER.index(state) <= ORDER.index(task.state):
        raise Refused(Why.OUT_OF_ORDER, f"the task is {task.state} already")
    tasks.progress(turn, task, state, Verb(command.verb))


def decline(turn: Turn, command: CommandRequested) -> None:
    """Give the task to somebody else."""
    tasks.decline(turn, own_task(turn, command))


def complete(turn: Turn, command: CommandRequested) -> None:
    """End the task."""
    tasks.complete(turn, own_task(turn, command), command.args.outcome or "done")


def escalate(turn: Turn, command: CommandRequested) -> None:
    """Ask the next one now."""
    task = own_task(turn, command)
    if task.state is not TaskState.ASSIGNED:
        raise Refused(Why.OUT_OF_ORDER, f"the task is {task.state} already")
    tasks.answered(turn, task)
    escalate_task(turn, task)


def set_state(turn: Turn, command: CommandRequested) -> None:
    """A unit says where it is and what it does; one that drops out gives its task back."""
    unit, args = own_unit(turn, command), command.args
    now = unit_now(turn, unit.id)
    task = turn.state.tasks.get(now.task_id or "")
    if args.unit_state is None and args.point is None:
        raise Refused(Why.INCOMPLETE, "give a unit_state or a point")
    if args.point is not None:
        move(turn, unit.id, now.state, task, args.point)
    if args.unit_state is None:
        return
    if task is None:
        _rest(turn, unit.id, args.unit_state)
    else:
        _at_work(turn, task, args.unit_state)


def _rest(turn: Turn, unit_id: str, state: UnitState) -> None:
    if state not in RESTING:
        raise Refused(Why.NO_TASK, "the unit has no task")
    move(turn, unit_id, state)
    if unit_now(turn, unit_id).missed:
        turn.keep(UnitMissed(unit_id=unit_id, missed=False))


def _at_work(turn: Turn, task: Task, state: UnitState) -> None:
    if state in (UnitState.EN_ROUTE, UnitState.ON_SCENE):
        reached = TaskState(state.value)
        if ORDER.index(reached) <= ORDER.index(task.state):
            raise Refused(Why.OUT_OF_ORDER, f"the task is {task.state} already")
        tasks.progress(turn, task, reached, Verb(f"task.{state.value}"))
    elif state in (UnitState.UNAVAILABLE, UnitState.OFF_DUTY):
        tasks.decline(turn, task, state)
    else:
        raise Refused(Why.UNIT_BUSY, "the unit has a task; complete or decline it")
