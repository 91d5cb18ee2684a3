"""The verbs about an incident, decided by its home desk."""

from typing import Any

from services.dispatch import ending, moving, reports
from services.dispatch.asked import Refused, Why, home_incident, open_incident, permit
from services.dispatch.incidents import ENDED, number
from services.dispatch.planning import plan, tell_desks
from services.dispatch.state import Incident
from services.dispatch.turn import Turn
from shared.contracts import CommandRequested, IncidentUpdated
from shared.contracts.command import Verb

LONGEST_TEXT = 8_000


def update(turn: Turn, command: CommandRequested) -> None:
    """Change category or priority or add a note."""
    id_, held = open_incident(turn, command)
    args = command.args
    new: dict[str, Any] = {"category": args.category, "priority": args.priority}
    new = {name: value for name, value in new.items() if value is not None}
    if args.note:
        new["text"] = f"{held.view.text}\n{args.note}".strip()[-LONGEST_TEXT:]
    if not new:
        raise Refused(Why.INCOMPLETE, "give a category, a priority or a note")
    number(turn, id_, IncidentUpdated, **new)
    tell_desks(turn, id_, Verb.INCIDENT_UPDATE)
    if held.view.lifecycle not in ENDED:
        plan(turn, id_)


def link(turn: Turn, command: CommandRequested) -> None:
    """Move a report of this desk to the incident, for good."""
    id_, held = open_incident(turn, command)
    if held.view.lifecycle in ENDED:
        raise Refused(Why.INCIDENT_CLOSED, "the incident is over; reopen it first")
    report_id = command.args.report_id or ""
    found = reports.find(turn, report_id)
    if found is None:
        raise _not_here(held, report_id)
    other, told = found
    if other == id_:
        raise Refused(Why.ALREADY_LINKED, "the report is linked to this incident")
    source = turn.state.incidents[other]
    if source.status is not held.status:
        raise Refused(Why.STATUS_DIFFERS, "an exercise is never linked with what is real")
    reports.leave(turn, other, told)
    reports.link(turn, id_, told, "linked by a person")


def _not_here(held: Incident, report_id: str) -> Refused:
    if any(entry.report_id == report_id and entry.suggested for entry in held.view.reports):
        detail = "the report's incident is at another desk, or over: have it handed over to this desk first"
        return Refused(Why.OTHER_DESK, detail)
    return Refused(Why.UNKNOWN_REPORT, "no such report at this desk")


def unlink(turn: Turn, command: CommandRequested) -> None:
    """Undo a link: the report gets its own incident; or withdraw a suggestion."""
    id_, held = open_incident(turn, command)
    report_id = command.args.report_id or ""
    told = reports.known(held, report_id)
    if told is not None and held.view.report_count < 2:
        raise Refused(Why.LAST_REPORT, "an incident keeps its last report; close it instead")
    if told is not None:
        reports.unlink(turn, id_, told)
        reports.open_own(turn, told, held.status, "unlinked by a person")
    elif any(entry.report_id == report_id and entry.suggested for entry in held.view.reports):
        reports.decline(turn, id_, report_id)
    else:
        raise Refused(Why.UNKNOWN_REPORT, "no such report in this incident")


def resolve(turn: Turn, command: CommandRequested) -> None:
    """End what is going on."""
    id_, held = open_incident(turn, command)
    if held.view.lifecycle in ENDED:
        raise Refused(Why.OUT_OF_ORDER, "the incident is resolved already")
    ending.resolve(turn, id_)


def close(turn: Turn, command: CommandRequested) -> None:
    """Close the incident."""
    id_, _ = open_incident(turn, command)
    ending.close(turn, id_, command.args.outcome or "resolved")


def reopen(turn: Turn, command: CommandRequested) -> None:
    """Let a resolved or closed incident go on, also one that has left the live state."""
    gone = turn.state.gone.get(command.incident_id or "")
    if gone and gone.to is None and command.incident_id and command.view and command.seq == gone.seq:
        permit(turn, command)
        ending.bring_back(turn, command.incident_id, command.view, gone.seq, command.status)
        return
    id_, held = home_incident(turn, command)
    permit(turn, command)
    if held.view.lifecycle not in ENDED:
        raise Refused(Why.NOT_CLOSED, "the incident is neither resolved nor closed")
    ending.reopen(turn, id_)


def hand_over(turn: Turn, command: CommandRequested) -> None:
    """Give the incident to another desk."""
    id_, _ = open_incident(turn, command)
    to = command.args.to_desk
    if to is None or to == turn.desk or to not in turn.rules.pack.desk_by_code:
        raise Refused(Why.UNKNOWN_DESK, "to_desk is not another desk of the pack")
    moving.hand_over(turn, id_, to)
