"""What desks tell each other: of an incident its home desk, of a task its owner, of a report a neighbour."""

from services.dispatch import moving, reports, tasks
from services.dispatch.asked import Refused, Why, from_desk, home_incident
from services.dispatch.incidents import OVER, task_changed
from services.dispatch.planning import drop_tasks, hand_task
from services.dispatch.state import Task
from services.dispatch.told import Told
from services.dispatch.turn import Turn
from shared.contracts import CommandRequested
from shared.contracts.command import Verb
from shared.contracts.task import EscalationStep
from shared.contracts.view import TaskView


def changed(turn: Turn, command: CommandRequested) -> None:
    """From a home desk: this is how the incident is now."""
    for task in _tasks_of_home(turn, command):
        tasks.keep(turn, task, view=command.view, home=from_desk(command))


def called_off(turn: Turn, command: CommandRequested) -> None:
    """From a home desk: the incident is over, and with it the tasks here."""
    drop_tasks(turn, _tasks_of_home(turn, command)[0].incident_id)


def _tasks_of_home(turn: Turn, command: CommandRequested) -> list[Task]:
    """Return this desk's tasks of the incident, if the desk that asks is its home, or has become it."""
    asking = from_desk(command)
    here = [task for task in turn.state.tasks_of(command.incident_id) if task.view is not None]
    if not here:
        raise Refused(Why.UNKNOWN_TASK, "no task of that incident here")
    if command.view is None or command.view.desk != asking:
        raise Refused(Why.NOT_ALLOWED, "only the incident's home desk says this")
    return here


def offered(turn: Turn, command: CommandRequested) -> None:
    """From a desk next door: is one of our reports about an incident of yours?"""
    view, report_id = command.view, command.args.report_id
    if view is None or report_id is None:
        raise Refused(Why.INCOMPLETE, "an offer carries the report's id and what it says, as a view")
    if view.desk != from_desk(command):
        raise Refused(Why.NOT_ALLOWED, "only the report's own desk offers it")
    reports.offer(turn, Told.of_view(view, report_id), command.status)


def handed_over(turn: Turn, command: CommandRequested) -> None:
    """From an old home desk: the incident is yours now; or from our own follower: it may go on."""
    id_, view, seq = command.incident_id, command.view, command.seq
    if id_ is None or view is None or seq is None:
        raise Refused(Why.INCOMPLETE, "a hand-over carries the incident, its view and its seq")
    if view.desk != turn.desk:
        gone = turn.state.gone.get(id_)
        if gone is None or gone.to != view.desk or gone.asked:
            raise Refused(Why.UNKNOWN_INCIDENT, "no such incident is on its way to that desk")
        moving.ask_new_desk(turn, id_, view, seq, command.status)
        return
    if id_ in turn.state.incidents:
        raise Refused(Why.ALREADY_HELD, "the incident is here already")
    moving.take_over(turn, id_, view, seq, command.status)


def assigned(turn: Turn, command: CommandRequested) -> None:
    """From a home desk: a task for this one; from the owner of a task: whom it sent."""
    if command.args.to_desk == turn.desk:
        _take(turn, command)
    else:
        reported(turn, command)


def _take(turn: Turn, command: CommandRequested) -> None:
    id_, task_id, view = command.incident_id, command.task_id, command.view
    if id_ is None or task_id is None or view is None or task_id.count("/") < 2:
        raise Refused(Why.INCOMPLETE, "a task comes with its id, its incident and the incident's view")
    if task_id in turn.state.tasks:
        raise Refused(Why.ALREADY_HELD, "the task is here already")
    tasks.take(turn, id_, task_id, command.status, view=view, attempt=command.args.attempt or 0)


def reported(turn: Turn, command: CommandRequested) -> None:
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
