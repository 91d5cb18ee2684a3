"""The decision is committed before anything leaves: a redo repeats it, whatever has changed meanwhile."""

from collections.abc import Iterable

import pytest

from services.notify.audience import Audience
from services.notify.book import Book
from services.notify.handlers import Sharing
from shared.bus import Retry, journal
from shared.bus.accepted import accepted_by
from shared.bus.emit import Encoder
from shared.bus.journal import Journal
from shared.bus.stateful import Stateful
from shared.bus.testing import NOON
from shared.contracts import (
    CommandAccepted,
    CommandRefused,
    DeliveryRecorded,
    EventData,
    IncidentShared,
    Record,
    ReportErased,
    decode,
)
from shared.contracts.agency import Presence
from shared.contracts.topics import INCIDENTS
from shared.contracts.view import Lifecycle
from shared.store import Store
from tests.bus.support import consumed, header, record_of, workplace
from tests.notify.support import INCIDENT, Stage, agreement, closed, opened, updated


async def owner(store: Store, book: Book) -> tuple[Stateful[Audience], list[Record]]:
    """A process that owns the incidents and knows `book`, and what it sends out when it starts."""
    decider, place = Sharing(lambda: book, lambda _: True, lambda _: None), workplace(store)
    assert place.appends is not None
    log = Journal(store, place.appends, "notify/0", decider)
    stateful = Stateful(place, accepted_by(decider.decide, 1), decider, log, Encoder("notify"))
    return stateful, (await stateful.open()).records


async def test_an_agreement_changed_between_crash_and_redo_changes_no_decision(store: Store) -> None:
    record = consumed(record_of(INCIDENTS, opened()))
    first, _ = await owner(store, Book([agreement(), agreement("hospital")]))
    before = (await first.process([record])).records
    assert [r.topic for r in before] == ["agency.hospital.incidents", "agency.rescue.incidents", "deliveries"]
    second, again = await owner(store, Book())  # nothing was acknowledged, and every agreement is gone
    assert [(r.topic, r.key, r.value, r.headers) for r in again] == [
        (r.topic, r.key, r.value, r.headers) for r in before
    ]
    assert (await second.process([record])).records == []


async def test_the_ledger_proves_by_the_id_of_the_very_event_that_left(store: Store) -> None:
    stateful, _ = await owner(store, Book([agreement(), agreement("hospital")]))
    *events, entry = (await stateful.process([consumed(record_of(INCIDENTS, opened()))])).records
    assert entry.value is not None
    data = decode(entry.value, entry.headers).data
    assert isinstance(data, DeliveryRecorded)
    assert [(d.proof or "").encode() for d in data.deliveries] == [header(r, "ce_id") for r in events]
    assert entry.key == b"inc-1"


def test_a_replica_that_cannot_confirm_the_agreements_decides_nothing() -> None:
    def out_of_date() -> Book:
        raise Retry("not current")

    stage = Stage()
    stage._decider = Sharing(out_of_date, lambda _: True, lambda _: None)
    with pytest.raises(Retry):
        stage.hear(opened())


REOPENED = updated(3, "lifecycle", lifecycle=Lifecycle.RECEIVED)


@pytest.fixture
async def at_rest(store: Store, monkeypatch: pytest.MonkeyPatch) -> Stateful[Audience]:
    """The owner of an incident that is closed and has left memory."""
    monkeypatch.setattr(journal, "SNAPSHOT_EVERY", 1)
    stateful, _ = await owner(store, Book([agreement()]))
    for event in (opened(), closed(2), opened("inc-2")):
        await hear(stateful, event)
        await saved(stateful)
    assert INCIDENT not in stateful.journal.fold
    return stateful


async def hear(stateful: Stateful[Audience], event: EventData) -> list[EventData]:
    """Let it decide on `event`; return what went out."""
    outcome = await stateful.process([consumed(record_of(INCIDENTS, event))])
    records = list(outcome.records)
    stateful.delivered(outcome)
    return [decode(record.value or b"", record.headers).data for record in records]


def numbers(events: Iterable[EventData]) -> list[tuple[int, Presence]]:
    """Return how agencies see an incident's events."""
    return [(event.seq, event.presence) for event in events if isinstance(event, IncidentShared)]


async def test_a_closed_incident_is_numbered_on_when_it_is_reopened(
    at_rest: Stateful[Audience], store: Store
) -> None:
    after, _ = await owner(store, Book([agreement()]))
    assert INCIDENT not in after.journal.fold
    assert numbers(await hear(after, REOPENED)) == [(3, Presence.UPDATED)]


async def test_the_answer_to_the_command_that_reopens_it_hides_nothing(at_rest: Stateful[Audience]) -> None:
    said = {"command_id": "c-1", "verb": "incident.reopen", "desk": "desk-1", "actor": "officer:x"}
    await hear(at_rest, CommandAccepted(incident_id=INCIDENT, **said))
    assert numbers(await hear(at_rest, REOPENED)) == [(3, Presence.UPDATED)]


async def test_the_erasure_of_a_report_of_a_closed_incident_is_told(at_rest: Stateful[Audience]) -> None:
    refused = {"command_id": "c-1", "verb": "task.accept", "desk": "desk-1", "actor": "officer:x"}
    await hear(at_rest, CommandRefused(incident_id=INCIDENT, reason="incident_closed", **refused))
    await saved(at_rest)
    erased = ReportErased(report_id="rep-1", incident_id=INCIDENT, desk="desk-1", erased_at=NOON)
    assert erased in await hear(at_rest, erased)


async def test_the_end_of_an_incident_of_which_nobody_was_told_is_no_rest(store: Store) -> None:
    stateful, _ = await owner(store, Book())
    await stateful.process([consumed(record_of(INCIDENTS, event)) for event in (opened(), closed(2))])
    assert stateful.journal.take_snapshot().rest == ()


async def saved(stateful: Stateful[Audience]) -> None:
    """Let what is due be saved, and what rests leave memory."""
    for _ in range(2):
        stateful.housekeep()
        if stateful._saving is not None:
            await stateful._saving
    stateful.housekeep()
