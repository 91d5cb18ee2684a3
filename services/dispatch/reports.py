"""A report comes in: it opens an incident, or is linked to one; a link can be confirmed or undone."""

from collections.abc import Iterator

from services.dispatch.ending import close, resolve
from services.dispatch.facts import ReportDropped, ReportTaken
from services.dispatch.incidents import ENDED, MOST_REPORTS, linked, number, open_incident, view_of_one
from services.dispatch.linking import Band, judge
from services.dispatch.planning import plan, tell_desks
from services.dispatch.state import Incident
from services.dispatch.tasks import serve_waiting
from services.dispatch.told import Told
from services.dispatch.turn import Turn
from shared.contracts import IncidentLinked, IncidentUnlinked, IncidentUpdated, Status
from shared.contracts.command import CommandArgs, Verb
from shared.contracts.ids import derived_id
from shared.contracts.report import ReportLocated
from shared.contracts.values import UNKNOWN_CATEGORY
from shared.contracts.view import Lifecycle, ReportLink


def on_report(turn: Turn, report: ReportLocated) -> None:
    """Find the incident a report is about, or open one. A report that is here already changes nothing."""
    told = Told.of(report)
    if holder(turn, told.report_id) is not None:
        return
    verdict = judge(told, candidates(turn, told, report.status))
    if verdict.band is Band.LINK and verdict.incident_id:
        incident_id = verdict.incident_id
        link(turn, incident_id, told, verdict.reason)
    else:
        incident_id = open_own(turn, told, report.status, verdict.reason)
        if verdict.band is Band.SUGGEST and verdict.incident_id:
            suggest(turn, verdict.incident_id, told)
    for desk in report.neighbours:
        ask_next_door(turn, desk, incident_id, told)


def ask_next_door(turn: Turn, desk: str, incident_id: str, told: Told) -> None:
    """Ask the desk behind a border whether it knows of `told`, shown as the incident it would be alone."""
    if desk == turn.desk:
        return
    turn.ask(
        desk,
        Verb.INCIDENT_LINK,
        incident_id=incident_id,
        args=CommandArgs(report_id=told.report_id),
        view=view_of_one(turn, told, told.received_at),
        status=turn.state.incidents[incident_id].status,
    )


def offer(turn: Turn, told: Told, status: Status) -> None:
    """Offer a neighbour's report to the incident that it is most likely about; only a person may link it."""
    verdict = judge(told, candidates(turn, told, status))
    if verdict.band is Band.NEW or verdict.incident_id is None or find(turn, told.report_id) is not None:
        return
    view = turn.state.incidents[verdict.incident_id].view
    if all(entry.report_id != told.report_id for entry in view.reports):
        suggest(turn, verdict.incident_id, told)


def candidates(turn: Turn, report: Told, status: Status) -> Iterator[tuple[str, Told]]:
    """Yield the reports of incidents nearby that `report`, of `status`, may be about, the oldest first."""
    if report.point is None:
        return
    nearby = ((id_, turn.state.incidents[id_]) for id_ in turn.state.nearby.around(report.point))
    for incident_id, held in sorted(nearby, key=lambda one: (one[1].view.opened_at, one[0])):
        if held.status is status and held.view.lifecycle not in ENDED:
            yield from ((incident_id, told) for told in held.shown(incident_id))


def holder(turn: Turn, report_id: str) -> str | None:
    """Return the incident that a report is linked to."""
    return turn.state.nearby.holders.get(report_id)


def find(turn: Turn, report_id: str) -> tuple[str, Told] | None:
    """Return the incident of this desk that has a report, and what is known of the report."""
    if (here := holder(turn, report_id)) is not None:
        told = known(turn.state.incidents[here], report_id)
        return (here, told) if told else None
    for incident_id, held in turn.state.incidents.items():  # handed over, or longer ago than is remembered
        if len(held.view.reports) > len(held.told) and (told := known(held, report_id)) is not None:
            return incident_id, told
    return None


def known(held: Incident, report_id: str) -> Told | None:
    """Return what is known of a report of an incident: after a hand-over, no more than the incident says."""
    for told in held.told:
        if told.report_id == report_id:
            return told
    return Told.of_view(held.view, report_id) if report_id in held.view.linked else None


def without_words_of(held: Incident, report_id: str) -> str:
    """Return the incident's text without what the report said; what people added to it stays."""
    told = known(held, report_id)
    return held.view.text if told is None else held.view.text.removeprefix(told.text).lstrip()


def open_own(turn: Turn, told: Told, status: Status, reason: str) -> str:
    """Open an incident for `told` alone and send who has to go; return its id. A test is resolved at once.

    The desk is part of the id: a report that is located again by another pack is the same cause elsewhere.
    """
    incident_id = derived_id(turn.id, "incident", f"{turn.desk}/{told.report_id}", 0)
    open_incident(turn, incident_id, told, status, reason)
    plan(turn, incident_id)
    if status is Status.TEST:
        resolve(turn, incident_id)
    return incident_id


def link(turn: Turn, incident_id: str, told: Told, reason: str) -> None:
    """Add a report. What it says more urgently or more exactly counts, and sends who is missing."""
    held = turn.state.incidents[incident_id]
    count, reports = linked(held, told, turn.now)
    category = told.category if held.view.category == UNKNOWN_CATEGORY else held.view.category
    priority = min(held.view.priority, told.priority)
    number(
        turn,
        incident_id,
        IncidentLinked,
        own={"report_id": told.report_id},
        report_count=count,
        reports=reports,
        category=category,
        priority=priority,
        point=held.view.point or told.point,
        place=held.view.place if held.view.point else told.place,
    )
    turn.keep(ReportTaken(incident_id=incident_id, told=told, reason=reason))
    if (category, priority) != (held.view.category, held.view.priority):
        tell_desks(turn, incident_id, Verb.INCIDENT_UPDATE)
        plan(turn, incident_id)
        serve_waiting(turn)


def suggest(turn: Turn, incident_id: str, told: Told) -> None:
    """Offer a report, which has its own incident, to another one that it may be about."""
    held = turn.state.incidents[incident_id]
    offered = ReportLink(report_id=told.report_id, linked_at=turn.now, suggested=True)
    number(turn, incident_id, IncidentUpdated, reports=(*held.view.reports, offered)[-MOST_REPORTS:])


def unlink(turn: Turn, incident_id: str, told: Told) -> None:
    """Take a report away from an incident; the report stays."""
    held = turn.state.incidents[incident_id]
    reports = tuple(entry for entry in held.view.reports if entry.report_id != told.report_id)
    number(
        turn,
        incident_id,
        IncidentUnlinked,
        own={"report_id": told.report_id},
        report_count=held.view.report_count - 1,
        reports=reports,
    )
    turn.keep(ReportDropped(incident_id=incident_id, report_id=told.report_id))


def decline(turn: Turn, incident_id: str, report_id: str) -> None:
    """Withdraw a suggestion."""
    held = turn.state.incidents[incident_id]
    reports = tuple(entry for entry in held.view.reports if entry.report_id != report_id)
    number(turn, incident_id, IncidentUpdated, reports=reports)


def leave(turn: Turn, incident_id: str, told: Told) -> None:
    """Take a report out of the incident that had it; one without reports is closed as a duplicate."""
    unlink(turn, incident_id, told)
    view = turn.state.incidents[incident_id].view
    if view.report_count == 0 and view.lifecycle is not Lifecycle.CLOSED:
        close(turn, incident_id, "duplicate")
