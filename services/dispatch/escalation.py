"""What happens when nobody acknowledges a task: next unit, then supervisor, then partner desk."""

from services.dispatch import planning
from services.dispatch.state import Task
from services.dispatch.tasks import await_answer, drop, put, release, tell_home, view_of
from services.dispatch.turn import Turn
from services.dispatch.units import nearest
from shared.contracts.command import Verb
from shared.contracts.task import EscalationStep


def next_step(task: Task, *, unit: bool, partner: bool) -> EscalationStep:
    """Return whom an unanswered task goes to; `unit`, `partner`: whether there is one to turn to.

    With nobody left it stays with the supervisor, who is called again and again.
    """
    if task.step is None and unit and task.unit:
        return EscalationStep.NEXT_UNIT
    if task.step is EscalationStep.SUPERVISOR and partner and not task.moved:
        return EscalationStep.PARTNER_DESK
    return EscalationStep.SUPERVISOR


def escalate(turn: Turn, task: Task) -> None:
    """Turn to the next one who might take the task on."""
    unit, partner = nearest(turn, task, view_of(turn, task)), turn.rules.partner(turn.desk)
    step = next_step(task, unit=unit is not None, partner=partner is not None)
    again = task.step is EscalationStep.SUPERVISOR is step
    changed = task.model_copy(update={"attempt": task.attempt + 1, "step": step})
    match step:
        case EscalationStep.NEXT_UNIT if unit:
            changed = put(turn, release(turn, changed, missed=True), unit.id)
        case EscalationStep.PARTNER_DESK if partner:
            _pass_on(turn, changed, partner)
            return
        case _:
            seconds = turn.rules.remind_seconds if again else turn.rules.acknowledge_seconds
            changed = await_answer(turn, changed, seconds)
    tell_home(turn, changed, Verb.TASK_ESCALATE, step=step, attempt=changed.attempt)


def _pass_on(turn: Turn, task: Task, partner: str) -> None:
    drop(turn, task, missed=True)
    gone = task.model_copy(update={"unit": None, "due": None})
    step = EscalationStep.PARTNER_DESK
    tell_home(turn, gone, Verb.TASK_ESCALATE, to=partner, step=step, attempt=task.attempt)
    if task.view is None:
        planning.hand_task(turn, task.incident_id, task.task_id, partner, task.attempt)
