"""The owner's side of a task: give it to a unit, follow it, end it, and tell the incident's home desk."""

from typing import Any

from services.dispatch.facts import TaskDropped, TaskKept, UnitMissed
from services.dispatch.incidents import task_changed
from services.dispatch.state import Task
from services.dispatch.turn import Turn
from services.dispatch.units import is_idle, move, nearest
from shared.contracts import Status
from shared.contracts.command import CommandArgs, Verb
from shared.contracts.task import EscalationStep
from shared.contracts.unit import UnitState
from shared.contracts.view import IncidentView, TaskState, TaskView

ACKNOWLEDGE = "acknowledge"
UNIT_STATE = {
    TaskState.ASSIGNED: UnitState.ASSIGNED,
    TaskState.ACKNOWLEDGED: UnitState.ASSIGNED,
    TaskState.EN_ROUTE: UnitState.EN_ROUTE,
    TaskState.ON_SCENE: UnitState.ON_SCENE,
}


def view_of(turn: Turn, task: Task) -> IncidentView:
    """Return the incident of a task as this desk knows it."""
    return task.view or turn.state.incidents[task.incident_id].view


def task_view(turn: Turn, task: Task, desk: str | None = None) -> TaskView:
    """Return a task as others see it, at `desk` if it is about to go there."""
    owner = desk or turn.desk
    return TaskView(
        task_id=task.task_id,
        desk=owner,
        agency=turn.rules.spec(owner).agency,
        state=task.state,
        units=(task.unit,) if task.unit else (),
        assigned_at=task.assigned_at,
        acknowledge_by=task.due if task.state is TaskState.ASSIGNED else None,
    )


def tell_home(turn: Turn, task: Task, verb: Verb, *, to: str | None = None, **args: Any) -> None:
    """Tell the home desk what became of `task`; where that is this desk, say it to everybody."""
    seen = task_view(turn, task, to)
    if task.view is None:
        task_changed(turn, task.incident_id, seen, verb, **args)
        return
    view = task.view.model_copy(update={"tasks": (seen,), "reports": (), "text": ""})
    step = args.get("step")
    turn.ask(
        task.home,
        verb,
        incident_id=task.incident_id,
        task_id=task.task_id,
        unit_id=None if step is EscalationStep.SUPERVISOR else task.unit,
        args=CommandArgs(to_desk=to, outcome=args.get("outcome"), attempt=args.get("attempt")),
        view=view,
        status=task.status,
    )


def keep(turn: Turn, task: Task, **changes: Any) -> Task:
    """Remember `task` with `changes`; return it."""
    changed = task.model_copy(update=changes)
    turn.keep(TaskKept(incident_id=task.incident_id, task=changed))
    return changed


def await_answer(turn: Turn, task: Task, seconds: float) -> Task:
    """Let `task` escalate unless somebody acknowledges it within `seconds`."""
    due = turn.after(seconds)
    turn.wake(task.task_id, ACKNOWLEDGE, due, task.attempt + 1)
    return keep(turn, task, due=due)


def answered(turn: Turn, task: Task) -> None:
    """Stop the clock: somebody has answered, or it is asked of nobody any more."""
    if task.due is not None:
        turn.sleep(task.task_id, ACKNOWLEDGE, task.attempt + 1)


def take(
    turn: Turn,
    incident_id: str,
    task_id: str,
    status: Status,
    *,
    view: IncidentView | None = None,
    attempt: int = 0,
) -> None:
    """Own a new task: the nearest suitable unit gets it, or it waits. `attempt`: it escalated here."""
    task = Task(
        task_id=task_id,
        incident_id=incident_id,
        home=view.desk if view else turn.desk,
        status=status,
        assigned_at=turn.now,
        attempt=attempt,
        moved=attempt > 0,
        view=view,
    )
    unit = nearest(turn, task, view_of(turn, task))
    assign(turn, task, unit.id if unit else None)


def assign(turn: Turn, task: Task, unit_id: str | None) -> None:
    """Give a task that has no unit to `unit_id`, or let it wait; the clock for the answer starts."""
    tell_home(turn, put(turn, task, unit_id), Verb.TASK_ASSIGN)


def put(turn: Turn, task: Task, unit_id: str | None) -> Task:
    """Commit a unit and its task to each other; tell nobody yet."""
    tried = (*task.tried, unit_id) if unit_id else task.tried
    changed = task.model_copy(update={"unit": unit_id, "state": TaskState.ASSIGNED, "tried": tried})
    if unit_id:
        move(turn, unit_id, UnitState.ASSIGNED, changed)
    return await_answer(turn, changed, turn.rules.acknowledge_seconds)


def release(turn: Turn, task: Task, *, missed: bool = False, state: UnitState = UnitState.AVAILABLE) -> Task:
    """Take the unit, if any, off its task; `missed` when it did not answer."""
    if task.unit is None:
        return task
    move(turn, task.unit, state)
    if missed:
        turn.keep(UnitMissed(unit_id=task.unit))
    return keep(turn, task, unit=None)


def progress(turn: Turn, task: Task, state: TaskState, verb: Verb) -> None:
    """Move a task on: acknowledged, under way, on scene."""
    answered(turn, task)
    changed = keep(turn, task, state=state, due=None)
    if changed.unit and UNIT_STATE[state] is not UNIT_STATE[task.state]:
        move(turn, changed.unit, UNIT_STATE[state], changed)
    tell_home(turn, changed, verb)


def decline(turn: Turn, task: Task, unit_state: UnitState = UnitState.AVAILABLE) -> None:
    """Give a task back: the next unit gets it at once, or it waits for one."""
    freed = release(turn, task, state=unit_state)
    unit = nearest(turn, freed, view_of(turn, freed))
    put_back = put(turn, freed, unit.id if unit else None)
    tell_home(turn, put_back, Verb.TASK_ASSIGN if unit else Verb.TASK_DECLINE)


def complete(turn: Turn, task: Task, outcome: str) -> None:
    """End a task; its unit is free for the next one."""
    drop(turn, task)
    over = task.model_copy(update={"state": TaskState.COMPLETED})
    tell_home(turn, over, Verb.TASK_COMPLETE, outcome=outcome)


def drop(turn: Turn, task: Task, *, missed: bool = False) -> None:
    """Own a task no longer and free its unit, telling nobody but the unit."""
    answered(turn, task)
    release(turn, task, missed=missed)
    turn.keep(TaskDropped(task_id=task.task_id))


def serve_waiting(turn: Turn) -> None:
    """Give idle units to the tasks that wait, the most urgent and then the oldest first."""
    for task in sorted(hopeful(turn), key=lambda t: (view_of(turn, t).priority, t.assigned_at, t.task_id)):
        if (unit := nearest(turn, task, view_of(turn, task))) is not None:
            assign(turn, task, unit.id)


def hopeful(turn: Turn) -> list[Task]:
    """Return the waiting tasks to which an idle unit may go; those that want the same are judged as one."""
    idle = {unit.id for unit in turn.rules.units_of.get(turn.desk, ()) if is_idle(turn, unit.id)}
    if not idle:
        return []
    waiting, suitable = turn.state.waiting, turn.rules.suitable
    served = {want for want in waiting.counts if not idle.isdisjoint(suitable(turn.desk, want))}
    return [turn.state.tasks[id_] for id_, want in waiting.wants.items() if want in served] if served else []
