"""The decider: incident events in, what each agency gets and the ledger's entry out."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from services.notify.audience import Audience, AudienceForgotten, AudienceNoted, after
from services.notify.book import Book, area_of, changes_after
from services.notify.ledger import delivery_of, entries, proof, told
from services.notify.verdict import Verdict, on_event, on_review
from shared.bus import Cancel, Decider, Decision, Emit, Keep, Timer, TimerFired
from shared.contracts import (
    CommandAccepted,
    CommandRefused,
    Event,
    EventData,
    IncidentOpened,
    ReportErased,
    Status,
)
from shared.contracts.agency import Presence
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
    rest = FORGET

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
                book = self._book()
                verdicts = self._possible(on_event(book, state, data, now))
                yield from self._share(event, data.incident_id, verdicts, now)
                yield from _remember(book, state, noted(state, data, now), verdicts, now)
            case TimerFired(about=incident_id) if state.closed:
                yield Keep(AudienceForgotten(incident_id=incident_id))
            case TimerFired(about=incident_id, attempt=attempt):
                book = self._book()
                verdicts = self._possible(on_review(book, state, incident_id, now))
                yield from self._share(event, incident_id, verdicts, now)
                yield from _remember(book, state, reviewed(state, incident_id, attempt), verdicts, now)
            case ReportErased() as data:
                reasons = {code: self._why_not(code) for code in sorted(state.agencies)}
                yield from _tell(event, data.incident_id, reasons, now)
            case CommandAccepted() | CommandRefused() as data:
                yield from _tell(event, data.incident_id or data.command_id, self._sender(data), now)

    def evolve(self, state: Audience, fact: EventData) -> Audience:
        """Return the audience after `fact`."""
        return after(state, fact)

    def rests(self, state: Audience) -> bool:
        """Whether the incident is closed: hardly any is reopened."""
        return state.closed

    def begins(self, event: Event[IncidentEvent | ReportErased | Outcome | TimerFired]) -> bool:
        """Whether the incident has just been opened."""
        return isinstance(event.data, IncidentOpened)

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
    book: Book, before: Audience, note: AudienceNoted, verdicts: Sequence[Verdict], now: datetime
) -> Iterator[Decision]:
    """Keep what has changed, and set the timer of the next review or cancel it."""
    if not before.agencies and all(verdict.shared is None for verdict in verdicts):
        return
    due = _due(book, _inside(before, verdicts), note, now)
    if due != note.due:
        note = note.model_copy(update={"due": due})
    if _judged_by(before) != _judged_by(note):
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


def _inside(before: Audience, verdicts: Sequence[Verdict]) -> set[str]:
    """Return the agencies that see the incident once what is shared is out."""
    inside = before.inside
    for verdict in verdicts:
        if verdict.shared is not None:
            (inside.discard if verdict.shared.presence is Presence.LEFT else inside.add)(verdict.agency)
    return inside


def _due(book: Book, inside: set[str], note: AudienceNoted, now: datetime) -> datetime | None:
    """Return when to look again; a timer that runs and is early enough is left as it is."""
    if note.closed:
        return note.due or now + FORGET
    if not inside:
        return None
    changes = [
        instant
        for agency in inside
        for agreement in book.agencies.get(agency, ())
        for instant in changes_after(agreement, now)
    ]
    wanted = min([*changes, now + REVIEW])
    return wanted if note.due is None else min(note.due, wanted)


_judged_by = attrgetter("category", "area", "closed", "reviews", "due")
"""What the next review needs, of an audience or of a note about it."""


def _tell(
    event: Event[Any], incident_id: str, agencies: dict[str, str | None], now: datetime
) -> Iterator[Emit]:
    """Pass `event` on to `agencies` as it is, except to those with a reason against it."""
    told_to = [code for code, reason in agencies.items() if reason is None]
    yield from (Emit(agency_incidents(code), event.data) for code in told_to)
    proofs = {code: proof(event, event.data, ordinal) for ordinal, code in enumerate(told_to)}
    deliveries = [told(code, proofs.get(code), reason) for code, reason in agencies.items()]
    yield from entries(event, incident_id, deliveries, now)
