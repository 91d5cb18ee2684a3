"""One agency's part of an incident, on the canonical stream: given, taken on, escalated, done."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from shared.contracts.incident import IncidentEvent
from shared.contracts.values import Code, Id


class EscalationStep(StrEnum):
    """Whom an assignment nobody acknowledged goes to, in this order."""

    NEXT_UNIT = "next_unit"
    SUPERVISOR = "supervisor"
    PARTNER_DESK = "partner_desk"


class TaskEvent(IncidentEvent):
    """Base of the numbered events about one task; the task itself is in `view.tasks`."""

    task_id: Id = Field(description="Id of the task")


class TaskAssigned(TaskEvent):
    """A desk gave a task to an agency's units."""

    type: ClassVar[str] = "th.ruamjai.task.assigned.v1"


class TaskAcknowledged(TaskEvent):
    """The agency or its unit took the task on."""

    type: ClassVar[str] = "th.ruamjai.task.acknowledged.v1"


class TaskEscalated(TaskEvent):
    """Nobody acknowledged in time, so somebody else was asked."""

    type: ClassVar[str] = "th.ruamjai.task.escalated.v1"

    step: EscalationStep = Field(description="Whom it went to")
    attempt: int = Field(ge=1, description="How many times the task has escalated by now")


class TaskCompleted(TaskEvent):
    """The agency's part is over."""

    type: ClassVar[str] = "th.ruamjai.task.completed.v1"

    outcome: Code = Field(description="How it ended: done, nothing_found, refused ...; an open list")
