"""The decider: incident events in, what each agency gets and the ledger's entry out."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.notify.audience import Audience, AudienceForgotten, AudienceNoted, after
from services.notify.book import Book, area_of, changes_after
from services.notify.ledger import delivery_of, entries, proof, told
from services.notify.verdict import Verdict, on_event, on_review
from shared.bus import Cancel, Decider, Decision, Emit, Keep, Timer, TimerFired
from shared.contracts import CommandAccepted, CommandRefused, Event, EventData, ReportErased, Status
from shared.contracts.incident import IncidentEvent
from shared.contracts.topics import agency_incidents
from shared.contracts.view import Lifecycle

Outcome = CommandAccepted | CommandRefused

REVIEW = timedelta(minutes=5)
"""How often an incident in somebody's view is looked at though nothing happens: agreements that change or
end are found by then, and from then on the timer is set to the very instant."""
FORGET = timedelta(days=90)
"""How long after its closing an incident can be reopened with the numbering going on."""
KIND = "review"
ACTOR = "agency:"


NO_TOPIC = "no_topic"


class Sharing(Decider[Audience]):
    """One audience per incident.

    `book` gives the current agreements, `has_topic` says whether an agency can be told anything; both raise
    Retry when they cannot tell.
    """

    state = Audience

    def __init__(
        self,
        book: Callable[[], Book],
        has_topic: Callable[[str], bool],
        count: Callable[[Sequence[Verdict]], None],
    ) -> None:
        self._book, self._has_topic, self._count = book, has_topic, count

    def decide(
        self,
        state: Audience,
        event: Event[IncidentEvent | ReportErased | Outcome | TimerFired],
        now: datetime,
    ) -> Iterator[Decision]:
        """Return what agencies are told of `event`, first, then the ledger's entry, then what to remember."""
        match event.data:
            case IncidentEvent() as data:
                verdicts = self._possible(on_event(self._book(), state, data, now))
                yield from self._share(event, data.incident_id, verdicts, now)
                yield from self._remember(state, noted(state, data, now), verdicts, now)
            case TimerFired(about=incident_id) if state.closed:
                yield Keep(AudienceForgotten(incident_id=incident_id))
            case TimerFired(about=incident_id, attempt=attempt):
                verdicts = self._possible(on_review(self._book(), state, incident_id, now))
                yield from self._share(event, incident_id, verdicts, now)
                yield from self._remember(state, reviewed(state, incident_id, attempt), verdicts, now)
            case ReportErased() as data:
                reasons = {code: self._why_not(code) for code in sorted(state.agencies)}
                yield from _tell(event, data.incident_id, reasons, now)
            case CommandAccepted() | CommandRefused() as data:
                yield from _tell(event, data.incident_id or data.command_id, self._sender(data), now)

    def evolve(self, state: Audience, fact: EventData) -> Audience:
        """Return the audience after `fact`."""
        return after(state, fact)

    def _possible(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Return `verdicts`, with nothing for agencies that cannot be told: they stand where they stood."""
        return [v if v.shared is None or self._has_topic(v.agency) else v.instead(NO_TOPIC) for v in verdicts]

    def _why_not(self, agency: str) -> str | None:
        return None if self._has_topic(agency) else NO_TOPIC

    def _share(
        self, event: Event[Any], incident_id: str, verdicts: Sequence[Verdict], now: datetime
    ) -> Iterator[Emit]:
        shared = [v for v in verdicts if v.shared is not None]
        ordinals = {v.agency: ordinal for ordinal, v in enumerate(shared)}
        for verdict in shared:
            assert verdict.shared is not None
            yield Emit(agency_incidents(verdict.agency), verdict.shared)
        deliveries = [
            delivery_of(v, proof(event, v.shared, ordinals[v.agency]) if v.shared else None) for v in verdicts
        ]
        yield from entries(event, incident_id, deliveries, now)
        self._count(verdicts)

    def _sender(self, outcome: Outcome) -> dict[str, str | None]:
        """Return the agency that sent the command, if one did, with the reason why it is not answered."""
        if not outcome.actor.startswith(ACTOR):
            return {}
        code = outcome.actor.removeprefix(ACTOR)
        if code not in self._book().agencies:
            return {}
        return {code: self._why_not(code) if outcome.status is Status.ACTUAL else outcome.status.value}

    def _remember(
        self, before: Audience, note: AudienceNoted, verdicts: Sequence[Verdict], now: datetime
    ) -> Iterator[Decision]:
        later = before.model_copy(update={"agencies": dict(before.agencies)})
        for verdict in verdicts:
            if verdict.shared is not None:
                after(later, verdict.shared)
        if not later.agencies:
            return
        due = _due(self._book(), later, note, now)
        note = note.model_copy(update={"due": due})
        if _differs(before, note):
            yield Keep(note)
        if due is not None and due != before.due:
            yield Timer(note.incident_id, KIND, due, note.reviews + 1)
        elif due is None and before.due is not None and note.reviews == before.reviews:
            yield Cancel(note.incident_id, KIND, note.reviews + 1)


def noted(state: Audience, data: IncidentEvent, now: datetime) -> AudienceNoted:
    """Return what an event says about the incident as a review needs it.

    Reviews are counted from the present in milliseconds: an incident that was forgotten and comes back never
    repeats the number of a timer that has fired, though nothing of it is remembered.
    """
    closed = data.view.lifecycle is Lifecycle.CLOSED
    return AudienceNoted(
        incident_id=data.incident_id,
        category=data.view.category,
        area=area_of(data.view.place),
        closed=closed,
        reviews=state.reviews if state.agencies else round(now.timestamp() * 1000),
        due=state.due if closed == state.closed else None,
    )


def reviewed(state: Audience, incident_id: str, attempt: int) -> AudienceNoted:
    """Return the same after the review number `attempt`: its timer is gone."""
    return AudienceNoted(
        incident_id=incident_id,
        category=state.category,
        area=state.area,
        closed=state.closed,
        reviews=attempt,
        due=None,
    )


def _due(book: Book, later: Audience, note: AudienceNoted, now: datetime) -> datetime | None:
    """Return when to look again; a timer that runs and is early enough is left as it is."""
    if note.closed:
        return note.due or now + FORGET
    if not later.inside:
        return None
    changes = [
        instant
        for agency in later.inside
        for agreement in book.agencies.get(agency, ())
        for instant in changes_after(agreement, now)
    ]
    wanted = min([*changes, now + REVIEW])
    return wanted if note.due is None else min(note.due, wanted)


def _differs(before: Audience, note: AudienceNoted) -> bool:
    return any(getattr(before, name) != getattr(note, name) for name in ("category", "area", "closed",
        "reviews", "due"))  # fmt: skip


def _tell(
    event: Event[Any], incident_id: str, agencies: dict[str, str | None], now: datetime
) -> Iterator[Emit]:
    """Pass `event` on to `agencies` as it is, except to those with a reason against it."""
    told_to = [code for code, reason in agencies.items() if reason is None]
    yield from (Emit(agency_incidents(code), event.data) for code in told_to)
    proofs = {code: proof(event, event.data, ordinal) for ordinal, code in enumerate(told_to)}
    deliveries = [told(code, proofs.get(code), reason) for code, reason in agencies.items()]
    yield from entries(event, incident_id, deliveries, now)
