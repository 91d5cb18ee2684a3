"""Keys at rest are in the store and not in memory, and go on where they were."""

from datetime import timedelta

import pytest

from shared.bus import journal
from shared.bus.resting import KIND
from shared.store import Document, Store
from shared.store.expiry import Expiry
from tests.bus.desk import STREAM, Desk, new_desk
from tests.bus.support import NOW
from tests.bus.tally import Resting, Sum, Tally, command

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SNAPSHOT_EVERY", 1)


@pytest.fixture
async def desk(store: Store) -> Desk:
    """A desk whose keys rest while their sum is even."""
    return await new_desk(store, tally=Resting())


async def add(desk: Desk, amount: int, key: str = "d1") -> int:
    """Let `key` become more; return its sum as it told it, however much of it is in memory."""
    [told] = (await desk.take(command("add", key, amount))).records
    await settled(desk)
    assert told.value is not None
    return int(told.value.partition(b'"sum-')[2].partition(b'"')[0])


async def settled(desk: Desk) -> None:
    """Save what is due, and let go of what rests."""
    await desk.housekeep()
    await desk.housekeep()


async def rests(store: Store) -> list[Document]:
    return await store.documents(KIND).scan()


async def test_what_rests_is_not_in_memory_and_goes_on_where_it_was(desk: Desk) -> None:
    assert await add(desk, 1) == 1
    assert "d1" in desk.journal.fold
    assert await add(desk, 1) == 2
    assert "d1" not in desk.journal.fold
    assert await desk.store.snapshots(STREAM) == []
    assert await add(desk, 1) == 3
    assert "d1" in desk.journal.fold
    assert await rests(desk.store) == []


async def test_what_rests_is_not_loaded_and_goes_on_after_a_restart(desk: Desk) -> None:
    await add(desk, 2)
    for number in range(5):
        await add(desk, 1 + 2 * number, "d2")  # the log's tail is about others
    journal_before = desk.journal.n
    after = await desk.restart()
    assert after.journal.n == journal_before
    assert await add(after, 2) == 4


async def test_what_rested_again_goes_on_from_its_last_rest(desk: Desk) -> None:
    for total in (2, 4, 6):
        assert await add(desk, 2) == total
    assert len(await rests(desk.store)) == 1
    assert await add(await desk.restart(), 1) == 7


async def test_what_woke_since_the_last_snapshot_goes_on_after_a_crash(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(desk, 2)
    monkeypatch.setattr(journal, "SNAPSHOT_EVERY", 1000)
    await add(desk, 1)
    after = await desk.restart()
    assert after.state() == desk.state()
    assert await add(after, 1) == 4


async def test_what_was_woken_for_nothing_rests_again(desk: Desk) -> None:
    await add(desk, 2)
    await desk.take(command("refuse"))
    assert "d1" in desk.journal.fold
    await add(desk, 1, "d2")
    assert "d1" not in desk.journal.fold
    assert await add(desk, 1) == 3


async def test_what_is_touched_while_it_is_put_to_rest_stays(desk: Desk) -> None:
    await desk.take(command("add", note=2))
    desk.stateful.housekeep()
    await desk.take(command("add", note=1))
    await settled(desk)
    assert desk.state() == Sum(total=3, told=desk.state().told)
    assert await add(desk, 2) == 5
    assert await add(await desk.restart(), 2) == 7


async def test_a_crash_before_rest_is_told_does_no_harm(desk: Desk) -> None:
    await desk.take(command("add", note=2))
    changes = desk.journal.take_snapshot()
    states = {key: state for key, state in changes.states.items() if state is not None}
    await desk.journal._resting.save(changes.n, states, desk.clock.now_ms())
    after = await desk.restart()
    assert await add(after, 1) == 3
    assert await add(await after.restart(), 1) == 4


async def test_a_crash_after_waking_does_no_harm(desk: Desk) -> None:
    await add(desk, 2)
    [rest] = await rests(desk.store)
    await add(desk, 1)
    await desk.store.documents(KIND).insert([rest])  # as if it had not been deleted
    after = await desk.restart()
    assert await add(after, 2) == 5
    assert await add(after, 1) == 6
    assert await add(await after.restart(), 1) == 7


async def test_a_former_owner_hides_nothing_newer(desk: Desk) -> None:
    await add(desk, 2)
    [old] = await rests(desk.store)
    await add(desk, 2)
    await desk.store.documents(KIND).insert([old])  # it was frozen while it saved, and wakes up
    assert await add(desk, 1) == 5


async def test_an_owner_that_has_loaded_again_keeps_what_it_was_putting_to_rest(desk: Desk) -> None:
    await desk.take(command("add", note=2))
    changes = desk.journal.take_snapshot()
    other = await desk.restart()
    assert await add(other, 1) == 3
    desk.deliver(await desk.stateful.refresh())
    await desk.journal.save_snapshot(changes, desk.clock.now_ms())
    desk.journal.let_go()
    assert await add(desk, 1) == 4


async def test_a_rest_ends_when_it_has_been_kept_for_long_enough(desk: Desk) -> None:
    await add(desk, 2)
    expiry, now_ms = Expiry(desk.store), round(NOW.timestamp() * 1000)
    await expiry.sweep(now_ms + 89 * DAY // timedelta(milliseconds=1))
    assert len(await rests(desk.store)) == 1
    await expiry.sweep(now_ms + 90 * DAY // timedelta(milliseconds=1))
    assert await rests(desk.store) == []
    assert await add(desk, 1) == 1


async def test_timers_sleep_with_their_key(desk: Desk) -> None:
    await desk.take(command("alarm", note=1))
    await add(desk, 2)
    assert desk.stateful.timers() == (0, 0.0)
    assert (await desk.pass_time(100)).records == []
    await add(desk, 1)
    assert desk.stateful.timers()[0] == 1
    [fired] = (await desk.pass_time(0)).records
    assert b'"sum-3"' in (fired.value or b"")


async def test_who_lets_nothing_rest_asks_the_store_for_nothing(store: Store) -> None:
    desk = await new_desk(store, tally=Tally())
    await add(desk, 2)
    assert "d1" in desk.journal.fold
    assert await rests(store) == []
