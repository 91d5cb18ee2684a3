"""The desks' decider: what comes in for a desk, and what follows from it."""

from collections.abc import Iterable
from datetime import datetime

from services.dispatch import ending, facts, incidents, tasks
from services.dispatch.commands import on_command
from services.dispatch.escalation import escalate
from services.dispatch.evolving import evolve
from services.dispatch.incidents import number
from services.dispatch.reports import on_report, without_words_of
from services.dispatch.state import Desk
from services.dispatch.tasks import serve_waiting
from services.dispatch.turn import Rules, Turn
from shared.bus import Decider, Decision, TimerFired
from shared.contracts import CommandRequested, Event, EventData, IncidentUpdated, ReportErased, ReportLocated
from shared.contracts.view import TaskState


class Desks(Decider[Desk]):
    """One state per desk code; no clock, no store, no broker."""

    state = Desk

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def use(self, rules: Rules) -> None:
        """Decide by other rules from the next decision on."""
        self._rules = rules

    def decide(
        self,
        state: Desk,
        event: Event[ReportLocated | CommandRequested | ReportErased | TimerFired],
        now: datetime,
    ) -> Iterable[Decision]:
        """Return what the desk answers; what may free a unit then serves the tasks that wait."""
        data = event.data
        desk = data.about.partition("/")[0] if isinstance(data, TimerFired) else data.desk
        turn = Turn(self._rules, desk, event.id, now, state)
        match data:
            case ReportLocated():
                on_report(turn, data)
            case ReportErased():
                _on_erased(turn, data)
            case CommandRequested():
                on_command(turn, data)
                serve_waiting(turn)
            case TimerFired():
                _on_timer(turn, data)
                serve_waiting(turn)
        return turn.decisions

    def evolve(self, state: Desk, fact: EventData) -> Desk:
        """Return the desk after `fact`."""
        return evolve(state, fact)


def _on_timer(turn: Turn, fired: TimerFired) -> None:
    about = fired.about.partition("/")[2]
    match fired.kind:
        case tasks.ACKNOWLEDGE:
            task = turn.state.tasks.get(about)
            if task and task.state is TaskState.ASSIGNED and fired.attempt == task.attempt + 1:
                escalate(turn, task)
        case incidents.CLOSE:
            ending.close_if_resolved(turn, about, fired.attempt)
        case ending.FORGET:
            ending.forget_if_closed(turn, about, fired.attempt)


def _on_erased(turn: Turn, erased: ReportErased) -> None:
    """Tell everybody, once, from the incident's home desk; forget what the report said, in the view too."""
    gone = turn.state.gone.get(erased.incident_id)
    if gone is not None and gone.to is not None:
        turn.pass_on(erased, gone.to)
        return
    turn.publish(erased)
    held = turn.state.incidents.get(erased.incident_id)
    if held is None:
        return
    reports = tuple(
        entry.model_copy(update={"erased": True}) if entry.report_id == erased.report_id else entry
        for entry in held.view.reports
    )
    text = without_words_of(held, erased.report_id)
    number(turn, erased.incident_id, IncidentUpdated, reports=reports, text=text)
    turn.keep(facts.ReportDropped(incident_id=erased.incident_id, report_id=erased.report_id))
