"""The decision is committed before anything leaves: a redo repeats it, whatever has changed meanwhile."""

import pytest

from services.notify.audience import Audience
from services.notify.book import Book
from services.notify.handlers import Sharing
from shared.bus import Retry, journal
from shared.bus.accepted import accepted_by
from shared.bus.emit import Encoder
from shared.bus.journal import Journal
from shared.bus.stateful import Stateful
from shared.contracts import DeliveryRecorded, IncidentShared, Record, decode
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


async def test_a_closed_incident_leaves_memory_and_is_numbered_on_when_it_is_reopened(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SNAPSHOT_EVERY", 1)
    book = Book([agreement()])
    stateful, _ = await owner(store, book)
    for event in (opened(), closed(2), opened("inc-2")):
        stateful.delivered(await stateful.process([consumed(record_of(INCIDENTS, event))]))
        await saved(stateful)
    assert INCIDENT not in stateful.journal.fold
    after, _ = await owner(store, book)
    assert INCIDENT not in after.journal.fold
    reopened = updated(3, "lifecycle", lifecycle=Lifecycle.RECEIVED)
    first, *_ = (await after.process([consumed(record_of(INCIDENTS, reopened))])).records
    shared = decode(first.value or b"", first.headers).data
    assert isinstance(shared, IncidentShared)
    assert (shared.seq, shared.presence) == (3, Presence.UPDATED)


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
