"""Who goes to an incident: one task per role, at the role's own desk, which then owns it."""

from services.dispatch import tasks
from services.dispatch.incidents import OVER, number, standing, with_task
from services.dispatch.state import Incident
from services.dispatch.turn import Turn
from services.dispatch.waiting import role_of
from shared.contracts import Status, TaskAssigned
from shared.contracts.command import CommandArgs, Verb
from shared.contracts.view import IncidentView, TaskState, TaskView

MOST_TASKS = 100


def plan(turn: Turn, incident_id: str, *, again: bool = False) -> None:
    """Give a task to every role that goes and has none; with `again` also to those whose task is over.

    Nobody goes to a test.
    """
    held = turn.state.incidents[incident_id]
    if held.status is Status.TEST:  # it must not tie up anybody whom a real incident needs
        return
    view = held.view
    present = {role_of(t.task_id) for t in view.tasks if t.state not in OVER}
    if not again:
        present |= {role_of(t.task_id) for t in view.tasks if t.state is TaskState.COMPLETED}
    for response in turn.rules.pack.response(view.category, view.priority):
        if response.role not in present:
            present.add(response.role)
            give(turn, incident_id, response.role, desk_of(turn, response.role, view))


def desk_of(turn: Turn, role: str, view: IncidentView) -> str:
    """Return the desk that owns the task of `role`: this one if it plays it, else the area's, else triage."""
    if turn.rules.spec(turn.desk).role == role:
        return turn.desk
    area = view.place.tambon or view.place.amphoe or view.place.province
    found = turn.rules.pack.desk_for(role, area)
    return found.code if found else turn.rules.pack.triage_desk


def give(turn: Turn, incident_id: str, role: str, desk: str) -> None:
    """Make a task of `role` at `desk`."""
    held = turn.state.incidents[incident_id]
    if len(held.view.tasks) >= MOST_TASKS:
        return
    ordinal = 1 + sum(role_of(task.task_id) == role for task in held.view.tasks)
    task_id = f"{incident_id}/{role}/{ordinal}"
    if desk == turn.desk:
        tasks.take(turn, incident_id, task_id, held.status)
        return
    agency = turn.rules.spec(desk).agency
    task = TaskView(task_id=task_id, desk=desk, agency=agency, state=TaskState.ASSIGNED, assigned_at=turn.now)
    all_tasks = with_task(held.view.tasks, task)
    lifecycle = standing(held.view.lifecycle, all_tasks)
    number(turn, incident_id, TaskAssigned, own={"task_id": task_id}, tasks=all_tasks, lifecycle=lifecycle)
    hand_task(turn, incident_id, task_id, desk)


def hand_task(turn: Turn, incident_id: str, task_id: str, desk: str, attempt: int | None = None) -> None:
    """Let `desk` own a task that the view says is there. `attempt`: how often it has escalated."""
    held = turn.state.incidents[incident_id]
    if desk == turn.desk:
        tasks.take(turn, incident_id, task_id, held.status, attempt=attempt or 0)
        return
    turn.ask(
        desk,
        Verb.TASK_ASSIGN,
        incident_id=incident_id,
        task_id=task_id,
        args=CommandArgs(to_desk=desk, attempt=attempt),
        view=held.view,
        seq=held.seq,
        status=held.status,
    )


def tell_desks(turn: Turn, incident_id: str, verb: Verb) -> None:
    """Tell the other desks with a live task how the incident is now, or that it is over."""
    held = turn.state.incidents[incident_id]
    for desk in sorted(other_desks(turn, held)):
        turn.ask(desk, verb, incident_id=incident_id, view=held.view, seq=held.seq, status=held.status)


def other_desks(turn: Turn, held: Incident) -> set[str]:
    """Return the other desks that own a live task of an incident."""
    return {task.desk for task in held.view.tasks if task.state not in OVER} - {turn.desk}


def call_off(turn: Turn, incident_id: str) -> tuple[TaskView, ...]:
    """Cancel every live task, here and elsewhere; return the tasks as they are then."""
    held = turn.state.incidents[incident_id]
    tell_desks(turn, incident_id, Verb.INCIDENT_CLOSE)
    drop_tasks(turn, incident_id)
    cancelled = {"state": TaskState.CANCELLED, "acknowledge_by": None}
    return tuple(t if t.state in OVER else t.model_copy(update=cancelled) for t in held.view.tasks)


def drop_tasks(turn: Turn, incident_id: str) -> None:
    """Drop this desk's tasks of an incident and free their units."""
    for task in turn.state.tasks_of(incident_id):
        tasks.drop(turn, task)
