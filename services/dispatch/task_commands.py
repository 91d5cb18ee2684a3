"""The verbs about a task and a unit, decided by the desk that owns them and then told to the home desk."""

from services.dispatch import tasks
from services.dispatch.asked import (
    Refused,
    Why,
    from_desk,
    home_incident,
    open_incident,
    own_task,
    own_unit,
)
from services.dispatch.escalation import escalate as escalate_task
from services.dispatch.facts import UnitMissed
from services.dispatch.incidents import ENDED, OVER, task_changed
from services.dispatch.planning import MOST_TASKS, give, hand_task
from services.dispatch.state import Task
from services.dispatch.turn import Turn
from services.dispatch.units import is_idle, move, unit_now
from shared.contracts import CommandRequested
from shared.contracts.command import Verb
from shared.contracts.task import EscalationStep
from shared.contracts.unit import UnitState
from shared.contracts.view import TaskState, TaskView

STATE_OF = {
    Verb.TASK_ACKNOWLEDGE: TaskState.ACKNOWLEDGED,
    Verb.TASK_EN_ROUTE: TaskState.EN_ROUTE,
    Verb.TASK_ON_SCENE: TaskState.ON_SCENE,
}
ORDER = (TaskState.ASSIGNED, *STATE_OF.values())
RESTING = (UnitState.AVAILABLE, UnitState.UNAVAILABLE, UnitState.OFF_DUTY)


def assign(turn: Turn, command: CommandRequested) -> None:
    """Own a task a home desk gives; note whom another desk sent; or do as a person says."""
    if from_desk(command):
        if command.args.to_desk == turn.desk:
            _take(turn, command)
        else:
            note_report(turn, command)
    elif command.unit_id:
        _put(turn, own_task(turn, command), command)
    else:
        _add(turn, command)


def _take(turn: Turn, command: CommandRequested) -> None:
    id_, task_id, view = command.incident_id, command.task_id, command.view
    if id_ is None or task_id is None or view is None or task_id.count("/") < 2:
        raise Refused(Why.INCOMPLETE, "a task comes with its id, its incident and the incident's view")
    if task_id in turn.state.tasks:
        raise Refused(Why.ALREADY_HELD, "the task is here already")
    tasks.take(turn, id_, task_id, command.status, view=view, attempt=command.args.attempt or 0)


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
    if from_desk(command):
        note_report(turn, command)
        return
    task, state = own_task(turn, command), STATE_OF[Verb(command.verb)]
    if command.unit_id not in (None, task.unit):
        raise Refused(Why.OUT_OF_ORDER, "another unit has this task")
    if ORDER.index(state) <= ORDER.index(task.state):
        raise Refused(Why.OUT_OF_ORDER, f"the task is {task.state} already")
    tasks.progress(turn, task, state, Verb(command.verb))


def decline(turn: Turn, command: CommandRequested) -> None:
    """Give the task to somebody else."""
    if from_desk(command):
        note_report(turn, command)
    else:
        tasks.decline(turn, own_task(turn, command))


def complete(turn: Turn, command: CommandRequested) -> None:
    """End the task."""
    if from_desk(command):
        note_report(turn, command)
    else:
        tasks.complete(turn, own_task(turn, command), command.args.outcome or "done")


def escalate(turn: Turn, command: CommandRequested) -> None:
    """Ask the next one now."""
    if from_desk(command):
        note_report(turn, command)
        return
    task = own_task(turn, command)
    if task.state is not TaskState.ASSIGNED:
        raise Refused(Why.OUT_OF_ORDER, f"the task is {task.state} already")
    tasks.answered(turn, task)
    escalate_task(turn, task)


def note_report(turn: Turn, command: CommandRequested) -> None:
    """Number what another desk says of the task it owns. A task it passes on is handed to the next desk."""
    id_, held = home_incident(turn, command)
    known = next((task for task in held.view.tasks if task.task_id == command.task_id), None)
    if known is None or known.desk != from_desk(command):
        raise Refused(Why.NOT_ALLOWED, "the desk that owns the task says this")
    if known.state in OVER:
        raise Refused(Why.TASK_OVER, "the task is over")
    held_here, args = turn.state.tasks.get(known.task_id), command.args
    seen = tasks.task_view(turn, held_here) if held_here else _seen(command)
    step = _step(command)
    task_changed(
        turn,
        id_,
        seen,
        Verb(command.verb),
        outcome=args.outcome or "done",
        step=step,
        attempt=args.attempt or 1,
    )
    if command.verb == Verb.TASK_ESCALATE and step is EscalationStep.PARTNER_DESK:
        hand_task(turn, id_, known.task_id, seen.desk, args.attempt)


def _seen(command: CommandRequested) -> TaskView:
    tasks_seen = command.view.tasks if command.view else ()
    found = [task for task in tasks_seen if task.task_id == command.task_id]
    if not found:
        raise Refused(Why.INCOMPLETE, "the report of a desk carries its task")
    return found[0]


def _step(command: CommandRequested) -> EscalationStep:
    if command.args.to_desk:
        return EscalationStep.PARTNER_DESK
    return EscalationStep.NEXT_UNIT if command.unit_id else EscalationStep.SUPERVISOR


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
