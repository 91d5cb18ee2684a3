"""An incident moves to another home desk: the last number of the old one, the first of the new one."""

from services.dispatch.facts import DeskAsked, IncidentLeft, ReportTaken
from services.dispatch.incidents import close_later, number
from services.dispatch.planning import tell_desks
from services.dispatch.tasks import keep
from services.dispatch.told import Told
from services.dispatch.turn import Turn
from shared.contracts import IncidentHandedOver, IncidentUpdated, Status
from shared.contracts.command import Verb
from shared.contracts.view import IncidentView, Lifecycle


def hand_over(turn: Turn, incident_id: str, to: str) -> None:
    """Let go of an incident. The new desk is asked when this event is on the stream, see `following`."""
    number(turn, incident_id, IncidentHandedOver, own={"from_desk": turn.desk}, desk=to)
    held = turn.state.incidents[incident_id]
    for task in turn.state.tasks_of(incident_id):
        keep(turn, task, home=to, view=held.view)
    turn.keep(IncidentLeft(incident_id=incident_id, seq=held.seq, to=to))


def ask_new_desk(turn: Turn, incident_id: str, view: IncidentView, seq: int, status: Status) -> None:
    """Ask the new home desk, now that our last event is on the stream; then send what was held back."""
    held = turn.state.gone[incident_id].held
    turn.keep(DeskAsked(incident_id=incident_id))
    turn.ask(view.desk, Verb.INCIDENT_HAND_OVER, incident_id=incident_id, view=view, seq=seq, status=status)
    for meant in held:
        turn.pass_on(meant, view.desk)


def take_over(turn: Turn, incident_id: str, view: IncidentView, seq: int, status: Status) -> None:
    """Number an incident's events from here on, and let every desk with a task know where to report."""
    turn.publish(IncidentUpdated(incident_id=incident_id, seq=seq + 1, view=view, status=status))
    if linked := view.linked:
        told = Told.of_view(view, linked[0])
        turn.keep(ReportTaken(incident_id=incident_id, told=told, reason="handed over"))
    for task in turn.state.tasks_of(incident_id):
        keep(turn, task, home=turn.desk, view=None)
    tell_desks(turn, incident_id, Verb.INCIDENT_UPDATE)
    if view.lifecycle is Lifecycle.RESOLVED:
        close_later(turn, incident_id)
