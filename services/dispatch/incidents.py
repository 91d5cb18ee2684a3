"""The home desk's side: it alone numbers an incident's events, and each carries the whole view."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from services.dispatch.facts import ReportTaken
from services.dispatch.state import Incident
from services.dispatch.told import Told
from services.dispatch.turn import Turn
from shared.contracts import (
    IncidentOpened,
    IncidentUpdated,
    TaskAcknowledged,
    TaskAssigned,
    TaskCompleted,
    TaskEscalated,
)
from shared.contracts.command import Verb
from shared.contracts.event import Status
from shared.contracts.incident import IncidentEvent
from shared.contracts.task import EscalationStep
from shared.contracts.view import IncidentView, Lifecycle, ReportLink, TaskState, TaskView

OVER = (TaskState.COMPLETED, TaskState.CANCELLED)
ENDED = (Lifecycle.RESOLVED, Lifecycle.CLOSED)
ORDER = tuple(Lifecycle)
MOST_REPORTS = 500
CLOSE = "close"


def open_incident(turn: Turn, incident_id: str, told: Told, status: Status, reason: str) -> None:
    """Open an incident for one report."""
    view = view_of_one(turn, told, turn.now)
    turn.publish(IncidentOpened(incident_id=incident_id, seq=1, view=view, status=status))
    turn.keep(ReportTaken(incident_id=incident_id, told=told, reason=reason))


def view_of_one(turn: Turn, told: Told, opened_at: datetime) -> IncidentView:
    """Return an incident of this desk that has one report and nothing else yet."""
    return IncidentView(
        desk=turn.desk,
        lifecycle=Lifecycle.RECEIVED,
        category=told.category,
        priority=told.priority,
        text=told.text,
        point=told.point,
        place=told.place,
        opened_at=opened_at,
        report_count=1,
        reports=(ReportLink(report_id=told.report_id, linked_at=turn.now),),
    )


def number(
    turn: Turn, incident_id: str, model: type[IncidentEvent], *, own: dict[str, Any] | None = None, **new: Any
) -> None:
    """Say the next event of an incident, with the fields `new` of its view changed, and its `own` fields."""
    held = turn.state.incidents[incident_id]
    changed = tuple(name for name, value in new.items() if getattr(held.view, name) != value)
    turn.publish(
        model(
            incident_id=incident_id,
            seq=held.seq + 1,
            changed=changed,
            view=held.view.model_copy(update=new),
            status=held.status,
            **(own or {}),
        )
    )


def task_changed(
    turn: Turn,
    incident_id: str,
    task: TaskView,
    verb: Verb,
    *,
    outcome: str = "done",
    step: EscalationStep = EscalationStep.SUPERVISOR,
    attempt: int = 1,
) -> None:
    """Say what became of one task, whoever owns it; when the last one is over the incident is resolved."""
    view = turn.state.incidents[incident_id].view
    tasks = with_task(view.tasks, task)
    lifecycle = standing(view.lifecycle, tasks)
    model = _EVENT_OF.get(verb, IncidentUpdated)
    own: dict[str, Any] = {} if model is IncidentUpdated else {"task_id": task.task_id}
    if model is TaskCompleted:
        own["outcome"] = outcome
    if model is TaskEscalated:
        own.update(step=step, attempt=attempt)
    number(turn, incident_id, model, own=own, tasks=tasks, lifecycle=lifecycle)
    if lifecycle is Lifecycle.RESOLVED is not view.lifecycle:
        close_later(turn, incident_id)


_EVENT_OF: dict[Verb, type[IncidentEvent]] = {
    Verb.TASK_ASSIGN: TaskAssigned,
    Verb.TASK_ACKNOWLEDGE: TaskAcknowledged,
    Verb.TASK_ESCALATE: TaskEscalated,
    Verb.TASK_COMPLETE: TaskCompleted,
}


def with_task(tasks: tuple[TaskView, ...], task: TaskView) -> tuple[TaskView, ...]:
    """Return `tasks` with `task` in its place, or at the end."""
    if all(known.task_id != task.task_id for known in tasks):
        return (*tasks, task)
    return tuple(task if known.task_id == task.task_id else known for known in tasks)


def standing(before: Lifecycle, tasks: Collection[TaskView]) -> Lifecycle:
    """Return where an incident stands: never further back than before, until it is reopened."""
    live = [task for task in tasks if task.state not in OVER]
    if before in ENDED:
        return before
    if not live and any(task.state is TaskState.COMPLETED for task in tasks):
        return Lifecycle.RESOLVED
    return max([before, *map(_reached, live)], key=ORDER.index)


def _reached(task: TaskView) -> Lifecycle:
    if task.state is TaskState.ASSIGNED:
        return Lifecycle.ASSIGNED if task.units else Lifecycle.RECEIVED
    return Lifecycle(task.state.value)


def linked(held: Incident, told: Told, now: datetime) -> tuple[int, tuple[ReportLink, ...]]:
    """Return count and list of an incident's reports with `told` among them, confirmed."""
    others = tuple(link for link in held.view.reports if link.report_id != told.report_id)
    link = ReportLink(report_id=told.report_id, linked_at=now)
    return held.view.report_count + 1, (*others, link)[-MOST_REPORTS:]


def close_later(turn: Turn, incident_id: str) -> None:
    """Close a resolved incident after a while, unless it moves on before."""
    seq = turn.state.incidents[incident_id].seq
    turn.wake(incident_id, CLOSE, turn.after(turn.rules.close_seconds), seq)
