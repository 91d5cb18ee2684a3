"""How an incident ends: resolved, closed, out of the live state; and how it comes back."""

from services.dispatch.facts import IncidentLeft
from services.dispatch.incidents import close_later, number
from services.dispatch.planning import call_off, plan
from services.dispatch.turn import Turn
from shared.contracts import IncidentClosed, IncidentUpdated, Status
from shared.contracts.view import IncidentView, Lifecycle

FORGET = "forget"


def resolve(turn: Turn, incident_id: str) -> None:
    """End what is still going on; the incident closes a while later."""
    tasks = call_off(turn, incident_id)
    number(turn, incident_id, IncidentUpdated, tasks=tasks, lifecycle=Lifecycle.RESOLVED)
    close_later(turn, incident_id)


def close(turn: Turn, incident_id: str, outcome: str) -> None:
    """Close an incident and call off its tasks; it leaves the live state a while later."""
    tasks = call_off(turn, incident_id)
    own = {"outcome": outcome}
    number(turn, incident_id, IncidentClosed, own=own, tasks=tasks, lifecycle=Lifecycle.CLOSED)
    seq = turn.state.incidents[incident_id].seq
    turn.wake(incident_id, FORGET, turn.after(turn.rules.forget_seconds), seq)


def close_if_resolved(turn: Turn, incident_id: str, since: int) -> None:
    """Close an incident that was resolved with the event `since` and that nobody has reopened."""
    held = turn.state.incidents.get(incident_id)
    if held is not None and held.stands(Lifecycle.RESOLVED, since):
        close(turn, incident_id, "resolved")


def forget_if_closed(turn: Turn, incident_id: str, since: int) -> None:
    """Let an incident leave the live state that was closed with the event `since`, and not reopened."""
    held = turn.state.incidents.get(incident_id)
    if held is not None and held.stands(Lifecycle.CLOSED, since):
        turn.keep(IncidentLeft(incident_id=incident_id, seq=held.seq))


def reopen(turn: Turn, incident_id: str) -> None:
    """Let an incident that is here go on, with new tasks."""
    number(turn, incident_id, IncidentUpdated, lifecycle=Lifecycle.RECEIVED)
    plan(turn, incident_id, again=True)


def bring_back(turn: Turn, incident_id: str, view: IncidentView, seq: int, status: Status) -> None:
    """Reopen an incident that has left the live state, from its last event."""
    again = view.model_copy(update={"lifecycle": Lifecycle.RECEIVED})
    turn.publish(
        IncidentUpdated(
            incident_id=incident_id, seq=seq + 1, changed=("lifecycle",), view=again, status=status
        )
    )
    plan(turn, incident_id, again=True)
