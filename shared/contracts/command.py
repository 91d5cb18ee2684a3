"""What somebody asks of a desk, and the outcome that every such command gets."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from shared.contracts.event import EventData, Model
from shared.contracts.unit import UnitState
from shared.contracts.values import Code, DeskCode, DottedCode, GeoPoint, Id, Note, Priority
from shared.contracts.view import IncidentView


class Verb(StrEnum):
    """The verbs this release knows. The field stays a code: an unknown verb is refused, not poison."""

    INCIDENT_UPDATE = "incident.update"
    INCIDENT_LINK = "incident.link"
    INCIDENT_UNLINK = "incident.unlink"
    INCIDENT_HAND_OVER = "incident.hand_over"
    INCIDENT_RESOLVE = "incident.resolve"
    INCIDENT_CLOSE = "incident.close"
    INCIDENT_REOPEN = "incident.reopen"
    TASK_ASSIGN = "task.assign"
    TASK_ACKNOWLEDGE = "task.acknowledge"
    TASK_DECLINE = "task.decline"
    TASK_EN_ROUTE = "task.en_route"
    TASK_ON_SCENE = "task.on_scene"
    TASK_COMPLETE = "task.complete"
    TASK_ESCALATE = "task.escalate"
    UNIT_SET_STATE = "unit.set_state"


class CommandArgs(Model):
    """What the verbs need besides ids; each verb reads the fields its description names."""

    report_id: Id | None = Field(default=None, description="incident.link and incident.unlink: the report")
    to_desk: DeskCode | None = Field(
        default=None, description="incident.hand_over: the new home desk; task.assign: the task's desk"
    )
    category: Code | None = Field(default=None, description="incident.update: the new category")
    priority: Priority | None = Field(default=None, description="incident.update: the new priority")
    unit_state: UnitState | None = Field(default=None, description="unit.set_state: the new state")
    point: GeoPoint | None = Field(default=None, description="unit.set_state: where the unit is")
    outcome: Code | None = Field(default=None, description="incident.close, task.complete: how it ended")
    attempt: int | None = Field(
        default=None, ge=1, description="task.assign, task.escalate: how many times the task has escalated"
    )
    note: Note | None = Field(default=None, description="What a person adds; <= 2,000 characters, masked")


class CommandBody(EventData):
    """What is asked: a verb, and what it is about."""

    verb: DottedCode = Field(description="What to do, `noun.verb`; an open list, see Verb")
    task_id: Id | None = Field(default=None, description="The task it is about, if any")
    unit_id: Id | None = Field(default=None, description="The unit it is about, if any")
    args: CommandArgs = Field(default=CommandArgs(), description="What the verb needs besides")


class CommandRequested(CommandBody):
    """A gateway or another desk asks a desk to do something; the event's id names the command."""

    type: ClassVar[str] = "th.ruamjai.command.requested.v1"
    subject_field: ClassVar[str] = "desk"

    desk: DeskCode = Field(description="The desk that is to decide")
    actor: Id = Field(description="Who asks: `officer:<id>`, `agency:<code>` or `desk:<code>`")
    incident_id: Id | None = Field(default=None, description="The incident it is about, if any")
    view: IncidentView | None = Field(
        default=None,
        description="The incident, for a desk that does not hold it: hand-over, partner task; with a desk's "
        "incident.link: one of its own reports from near the border, as an incident that has no other",
    )
    seq: int | None = Field(default=None, ge=1, description="The last `seq` that `view` includes")
    command_id: Id | None = Field(
        default=None, description="The id its sender knows the command by, where a desk has forwarded it"
    )


class CommandOutcome(EventData):
    """Base of the two answers; its sender finds it by `command_id`."""

    subject_field: ClassVar[str] = "command_id"

    command_id: Id = Field(description="Id of the command's event")
    verb: DottedCode = Field(description="What was asked")
    desk: DeskCode = Field(description="The desk that decided")
    actor: Id = Field(description="Who asked")
    incident_id: Id | None = Field(default=None, description="The incident it was about, if any")


class CommandAccepted(CommandOutcome):
    """The desk did what was asked; what it changed follows as events of its own."""

    type: ClassVar[str] = "th.ruamjai.command.accepted.v1"


class CommandRefused(CommandOutcome):
    """The desk did not do what was asked, and says why."""

    type: ClassVar[str] = "th.ruamjai.command.refused.v1"

    reason: Code = Field(description="Why: unknown_verb, unknown_incident, not_allowed ...; an open list")
    detail: Note = Field(default="", description="The reason in words for a person; <= 2,000 characters")
