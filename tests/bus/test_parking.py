"""What a parked key goes through when the store fails or another owner comes in between."""

from typing import cast

from shared.bus.parking import record_of as unparked
from shared.contracts import Record
from shared.contracts.topics import replay_of
from shared.store import Store
from tests.bus.desk import Desk, new_desk
from tests.bus.faults import Fault, FaultyStore
from tests.bus.support import consumed
from tests.bus.tally import command

GROUP = "tester"


async def parked_behind_poison(desk: Desk, *behind: Record) -> Record:
    """The poison of a key behind which `behind` waits."""
    poison = command("refuse")
    outcome = await desk.take(poison, *behind)
    await desk.place.parking.save(outcome.parked)
    return poison


def replay(record: Record) -> Record:
    return Record(replay_of(GROUP), record.key, record.value, record.headers)


async def reopen(desk: Desk, poison: Record) -> list[Record]:
    """Replay the poison; what waited behind it, as it was consumed."""
    desk.tally.refuses = False
    again = consumed(replay(poison))
    await desk.take(again)
    waiting = await desk.place.parking.reopen(again)
    found = [unparked(parked) for parked in waiting[1:]]
    return [Record(r.topic, r.key, r.value, list(r.headers)) for r in found]


async def test_a_store_that_fails_while_a_key_is_released_does_not_close_it_again(store: Store) -> None:
    faulty = FaultyStore(store)
    desk = await new_desk(cast("Store", faulty), parks=True)
    poison = await parked_behind_poison(desk, command("add", note=1), command("add", note=2))
    waiting = await reopen(desk, poison)
    faulty.faults.extend([Fault.UNREACHED, Fault.REPLY_LOST])
    outcome = await desk.take(*waiting)
    assert outcome.parked == []
    assert desk.state().total == 3


async def test_a_key_stays_closed_when_it_is_loaded_after_its_release_has_ended(store: Store) -> None:
    desk = await new_desk(store, parks=True)
    poison = await parked_behind_poison(desk, command("add", note=1))
    await reopen(desk, poison)
    desk.place.parking.released(b"d1", more=True)
    await desk.place.parking.load()
    assert desk.place.parking.holds(consumed(command("add"), 9))


async def test_a_former_owner_holds_back_nothing_of_a_key_that_was_opened_meanwhile(store: Store) -> None:
    former = await new_desk(store, parks=True)
    poison = await parked_behind_poison(former, command("add", note=1))
    owner = await new_desk(store, parks=True)
    await owner.take(*await reopen(owner, poison))
    await owner.place.parking.release(await store.parked(f"{GROUP}/0", b"d1"))
    outcome = await former.take(consumed(command("add", note=2), 5))
    assert outcome.parked == []
    assert former.state().total == 3
