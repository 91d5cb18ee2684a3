"""Keys at rest are in the store and not in memory, and go on where they were."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.bus import Service, journal
from shared.bus.incoming import Fetched
from shared.bus.resting import GRACE, KIND
from shared.bus.sweep import sweep
from shared.contracts import Event
from shared.contracts.topics import replay_of
from shared.store import Document, Snapshot, Store, open_store
from shared.store.expiry import Expiry
from tests.bus.desk import STREAM, Desk, new_desk
from tests.bus.support import consumed, value_of
from tests.bus.tally import IN, Resting, Sum, Tally, command

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SNAPSHOT_EVERY", 1)


@pytest.fixture
async def desk(store: Store) -> Desk:
    """A desk whose keys rest while their sum is even."""
    return await new_desk(store, tally=Resting())


async def told(desk: Desk, amount: int, key: str) -> int:
    """Let `key` become more; return its sum as it tells it, however much of it is in memory."""
    [record] = (await desk.take(command("add", key, amount))).records
    assert record.value is not None
    return int(record.value.partition(b'"sum-')[2].partition(b'"')[0])


async def add(desk: Desk, amount: int, key: str = "d1") -> int:
    """The same, and save it."""
    total = await told(desk, amount, key)
    await settled(desk)
    return total


async def clear(desk: Desk) -> None:
    """Let the key have no state, and save that."""
    await desk.take(command("clear"))
    await settled(desk)


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
    assert [snapshot.key for snapshot in await desk.store.snapshots(STREAM)] == ["d1"]


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


async def test_what_is_touched_while_it_is_put_to_rest_and_cleared_does_not_come_back(
    desk: Desk,
) -> None:
    await desk.take(command("add", note=2))
    desk.stateful.housekeep()
    await desk.take(command("add", note=1))
    await settled(desk)
    await clear(desk)
    assert "d1" not in desk.journal.fold
    assert await add(desk, 5) == 5


async def test_a_cause_that_comes_while_a_cleared_key_is_saved_finds_it_cleared(desk: Desk) -> None:
    await add(desk, 2)
    await desk.take(command("clear"))
    desk.stateful.housekeep()
    assert await add(desk, 1) == 1
    assert await add(await desk.restart(), 1) == 2


async def test_what_was_cleared_after_a_crash_does_not_come_back(desk: Desk) -> None:
    await add(desk, 2)
    await add(desk, 1)
    after = await desk.restart()
    await clear(after)
    assert "d1" not in after.journal.fold
    assert await add(after, 5) == 5


async def test_a_former_owner_hides_nothing_newer(desk: Desk) -> None:
    await add(desk, 2)
    [old] = await rests(desk.store)
    await add(desk, 2)
    await desk.store.documents(KIND).insert([old])  # it was frozen while it saved, and wakes up
    assert await add(desk, 1) == 5


async def test_what_is_loaded_while_a_save_ends_is_whole(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await add(desk, 2)
    await desk.take(command("add", note=1))
    changes, read = desk.journal.take_snapshot(), type(desk.store).snapshots

    async def read_and_save(store: Any, stream: str) -> list[Snapshot]:
        found = await read(store, stream)
        await desk.journal.save_snapshot(changes, desk.clock.now_ms())
        return found

    monkeypatch.setattr(type(desk.store), "snapshots", read_and_save)
    after = await desk.restart()
    assert after.state().total == 3


async def test_a_save_that_ends_while_its_owner_loads_again_hides_no_commit(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SNAPSHOT_EVERY", 1000)
    for _ in range(3):
        await add(desk, 1)
    changes, wake = desk.journal.take_snapshot(), desk.journal.wake
    await desk.journal.save_head()

    async def save_and_wake(keys: Iterable[str], at_ms: int) -> None:
        await desk.journal.save_snapshot(changes, at_ms)
        await wake(keys, at_ms)

    monkeypatch.setattr(desk.journal, "wake", save_and_wake)
    await desk.journal.load()
    assert desk.state().total == 3


class Beginning(Resting):
    """One that takes every event for the first its key ever sees."""

    def begins(self, event: Event[Any]) -> bool:
        """Whether it does: yes."""
        return True


async def test_what_was_set_aside_and_comes_again_late_wakes_its_key(desk: Desk) -> None:
    await add(desk, 2)
    record = consumed(command("add", note=1))
    assert isinstance(record, Fetched)
    late = await new_desk(desk.store, tally=Beginning())
    [told] = (await late.take(replace(record, topic=replay_of("tester")))).records
    assert b'"sum-3"' in (told.value or b"")


async def test_a_timer_of_a_key_that_left_and_is_back_fires_once(desk: Desk) -> None:
    await desk.take(command("alarm", note=1))
    await add(desk, 2)
    await add(desk, 1)
    assert len((await desk.pass_time(100)).records) == 1
    assert value_of(desk.metrics.timers_fired) == 1


async def test_what_woke_is_soon_saved_however_little_else_there_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(desk, 2)
    monkeypatch.setattr(journal, "SNAPSHOT_EVERY", 1000)
    await add(desk, 1)
    assert not desk.journal.snapshot_due
    monkeypatch.setattr(journal, "WAKE_SECONDS", 0.0)
    assert desk.journal.snapshot_due
    await settled(desk)
    assert not desk.journal.snapshot_due
    assert [snapshot.key for snapshot in await desk.store.snapshots(STREAM)] == ["d1"]


class DiesError(Exception):
    """The process ends here."""


async def dies(*_: Any) -> None:
    raise DiesError


WRITES = (("_resting", "save"), ("_store", "save_snapshots"), ("_resting", "forget"), ("", "save_head"))


STEPS = st.tuples(
    st.sampled_from("aaaalscr"), st.sampled_from(["d1", "d2"]), st.integers(1, 2), st.sampled_from(WRITES)
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, min_size=30, max_size=40))
def test_wherever_a_save_is_cut_off_nothing_is_lost(
    steps: Sequence[tuple[str, str, int, tuple[str, str]]],
) -> None:
    asyncio.run(_cut_off(steps))


async def _cut_off(steps: Sequence[tuple[str, str, int, tuple[str, str]]]) -> None:
    """Play `a`dd, c`l`ear, `s`ave, `r`estart and `c`rash, the last amid a save, before one of its writes."""
    with TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "SNAPSHOT_EVERY", 3)
        store = open_store(f"sqlite:///{directory}/store.db")
        await store.start()
        try:
            desk, totals = await new_desk(store, tally=Resting()), Counter[str]()
            for step, key, amount, (part, write) in steps:
                if step == "a":
                    totals[key] += amount
                    assert await told(desk, amount, key) == totals[key]
                elif step == "l":
                    totals[key] = 0
                    await desk.take(command("clear", key))
                elif step == "s":
                    await settled(desk)
                elif step == "c" and desk.journal.snapshot_due:
                    changes = desk.journal.take_snapshot()
                    with patch.context() as cut:
                        cut.setattr(getattr(desk.journal, part) if part else desk.journal, write, dies)
                        with pytest.raises(DiesError):
                            await desk.journal.save_snapshot(changes, desk.clock.now_ms())
                    desk = await desk.restart()
                else:
                    desk = await desk.restart()
        finally:
            await store.close()


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
    desk.clock.advance(90 * DAY / timedelta(seconds=1))
    assert await told(desk, 2, "d1") == 4
    await settled(desk)
    desk.clock.advance((90 * DAY + timedelta(seconds=1)) / timedelta(seconds=1))
    assert await told(desk, 1, "d1") == 1  # it is still there, and counts no more


async def test_the_sweep_leaves_what_the_log_may_need_and_then_takes_it(desk: Desk) -> None:
    await add(desk, 2)
    expiry, kept_ms = Expiry(desk.store), desk.clock.now_ms() + 90 * DAY // timedelta(milliseconds=1)
    await expiry.sweep(kept_ms)
    assert len(await rests(desk.store)) == 1
    await expiry.sweep(kept_ms + GRACE // timedelta(milliseconds=1))
    assert await rests(desk.store) == []


async def test_timers_sleep_with_their_key(desk: Desk) -> None:
    await desk.take(command("alarm", note=1))
    await add(desk, 2)
    assert desk.stateful.timers() == (0, 0.0)
    assert (await desk.pass_time(100)).records == []
    await add(desk, 1)
    assert desk.stateful.timers()[0] == 1
    [fired] = (await desk.pass_time(0)).records
    assert b'"sum-3"' in (fired.value or b"")


def test_who_lets_keys_rest_has_them_swept() -> None:
    service = Service("tester")
    service.decide(IN, by=Tally())
    assert sweep not in service.parts
    service.decide(IN, by=Resting(), group="resting")
    assert sweep in service.parts


async def test_who_lets_nothing_rest_asks_the_store_for_nothing(store: Store) -> None:
    desk = await new_desk(store, tally=Tally())
    await add(desk, 2)
    assert "d1" in desk.journal.fold
    assert await rests(store) == []
