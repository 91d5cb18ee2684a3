"""Every command gets exactly one answer: accepted, with what follows, or refused, with a reason."""

from collections.abc import Callable, Mapping
from typing import Any

from services.dispatch import desk_commands as desks
from services.dispatch import incident_commands as incident
from services.dispatch import task_commands as task
from services.dispatch.asked import Elsewhere, Refused, Why, from_desk
from services.dispatch.turn import Turn
from shared.contracts import CommandAccepted, CommandRefused, CommandRequested
from shared.contracts.command import Verb

MOST_HELD = 100
"""From how many on people and agencies are refused while an incident is on its way. Desks, which say little
and only once, never are."""
Act = Callable[[Turn, CommandRequested], None]
VERBS: Mapping[str, Act] = {
    Verb.INCIDENT_UPDATE: incident.update,
    Verb.INCIDENT_LINK: incident.link,
    Verb.INCIDENT_UNLINK: incident.unlink,
    Verb.INCIDENT_HAND_OVER: incident.hand_over,
    Verb.INCIDENT_RESOLVE: incident.resolve,
    Verb.INCIDENT_CLOSE: incident.close,
    Verb.INCIDENT_REOPEN: incident.reopen,
    Verb.TASK_ASSIGN: task.assign,
    Verb.TASK_ACKNOWLEDGE: task.progress,
    Verb.TASK_DECLINE: task.decline,
    Verb.TASK_EN_ROUTE: task.progress,
    Verb.TASK_ON_SCENE: task.progress,
    Verb.TASK_COMPLETE: task.complete,
    Verb.TASK_ESCALATE: task.escalate,
    Verb.UNIT_SET_STATE: task.set_state,
}
FROM_DESKS: Mapping[str, Act] = {
    Verb.INCIDENT_UPDATE: desks.changed,
    Verb.INCIDENT_LINK: desks.offered,
    Verb.INCIDENT_HAND_OVER: desks.handed_over,
    Verb.INCIDENT_CLOSE: desks.called_off,
    Verb.TASK_ASSIGN: desks.assigned,
    Verb.TASK_ACKNOWLEDGE: desks.reported,
    Verb.TASK_DECLINE: desks.reported,
    Verb.TASK_EN_ROUTE: desks.reported,
    Verb.TASK_ON_SCENE: desks.reported,
    Verb.TASK_COMPLETE: desks.reported,
    Verb.TASK_ESCALATE: desks.reported,
}
"""What these verbs mean when a desk says them; the others are a person's, and refused."""


def on_command(turn: Turn, command: CommandRequested) -> None:
    """Do what is asked or say why not; what another desk decides on goes there, under the same name."""
    try:
        _act(turn, command)
    except Elsewhere as other:
        turn.start_again()
        _forward(turn, command, other.desk)
    except Refused as no:
        turn.start_again()
        turn.publish(CommandRefused(**_outcome(turn, command), reason=no.reason.value, detail=no.detail))
    else:
        done, turn.decisions = turn.decisions, []
        turn.publish(CommandAccepted(**_outcome(turn, command)))
        turn.decisions += done


def _act(turn: Turn, command: CommandRequested) -> None:
    act = (FROM_DESKS.get(command.verb) if from_desk(command) else None) or VERBS.get(command.verb)
    if act is None:
        raise Refused(Why.UNKNOWN_VERB, "this release does not know the verb")
    act(turn, command)


def _forward(turn: Turn, command: CommandRequested, desk: str) -> None:
    named = command.model_copy(update={"command_id": command.command_id or turn.id})
    gone = turn.state.gone.get(command.incident_id or "")
    if gone is not None and len(gone.held) >= MOST_HELD and from_desk(command) is None:
        detail = "the incident is on its way to another desk; ask again"
        turn.publish(CommandRefused(**_outcome(turn, command), reason=Why.MOVING.value, detail=detail))
    else:
        turn.pass_on(named, desk)


def _outcome(turn: Turn, command: CommandRequested) -> dict[str, Any]:
    return {
        "command_id": command.command_id or turn.id,
        "verb": command.verb,
        "desk": turn.desk,
        "actor": command.actor,
        "incident_id": command.incident_id,
        "status": command.status,
    }
