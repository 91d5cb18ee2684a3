"""Snapshots only save time: a state built from them is the state that the whole log adds up to."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.bus import journal
from shared.bus.commits import decode_body
from shared.bus.fold import Fold
from shared.clock import ManualClock
from shared.contracts import EventData
from shared.store import Commit, Store, open_store
from shared.telemetry import Reason
from tests.bus.desk import STREAM, Desk, ids, new_desk
from tests.bus.faults import Fault, FaultyStore
from tests.bus.support import NOW, value_of
from tests.bus.tally import Resting, Sum, Tally, command
from tests.store.helpers import whole

KEYS = ("d1", "d2")
COMMANDS = ("add", "alarm", "cancel", "clear", "refuse", "break")
Step = tuple[str, str, int]


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots every few commits, so that short tests meet many."""
    monkeypatch.setattr(journal, "SNAPSHOT_EVERY", 4)
    monkeypatch.setattr(journal, "OVERLAP", 2)


async def full_replay(store: Store) -> dict[str, tuple[Sum, set[str]]]:
    """State and timers of every key, from the first commit on."""
    fold = Fold(Tally())
    for commit in await whole(store, STREAM):
        for decided in decode_body(commit.body):
            fold.apply(decided)
    return {key: (fold[key].state, set(fold[key].timers)) for key in KEYS}


def present(desk: Desk) -> dict[str, tuple[Sum, set[str]]]:
    return {key: (desk.state(key), set(desk.journal.fold[key].timers)) for key in KEYS}


async def fill(desk: Desk, commits: int, verb: str = "add") -> None:
    for number in range(commits):
        await desk.take(command(verb, note=number))
        await desk.housekeep()


class Purging(FaultyStore):
    """A store that somebody purges while it is read: the first page comes short of its first commit."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.short = True

    async def tail(self, stream: str, after: int, limit: int = 100) -> list[Commit]:
        page: list[Commit] = await self._store.tail(stream, after, limit)
        short, self.short = self.short, False
        return page[1:] if short else page


async def test_a_log_that_is_purged_while_it_is_read_is_read_to_its_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(desk, 9)
    monkeypatch.setattr(journal, "SNAPSHOT_EVERY", 1000)
    await fill(desk, 11)
    monkeypatch.setattr(journal, "PAGE", 5)
    after = await new_desk(cast("Store", Purging(desk.store)))
    assert after.journal.n == 20
    assert present(after) == present(desk)


async def test_a_log_that_was_purged_beyond_the_snapshots_that_were_read_is_read_again(desk: Desk) -> None:
    await fill(desk, 3)
    after = await new_desk(cast("Store", Purging(desk.store)))
    assert present(after) == present(desk)
    assert value_of(after.metrics.retried, Reason.STORE_UNAVAILABLE) == 1


async def test_others_have_their_turn_while_a_long_log_is_loaded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SNAPSHOT_EVERY", 1000)
    await fill(desk, 50)
    folded = list[int]()
    evolve = Tally.evolve

    def noting(self: Tally, state: Sum, fact: EventData) -> Sum:
        folded.append(turns)
        return evolve(self, state, fact)

    monkeypatch.setattr(Tally, "evolve", noting)
    opening, turns = asyncio.create_task(new_desk(desk.store)), 0
    while not opening.done():
        await asyncio.sleep(0)
        turns += 1
    assert len(set(folded)) >= 50


async def test_a_restart_reads_a_snapshot_and_the_tail_and_comes_to_the_same_state(desk: Desk) -> None:
    await fill(desk, 10)
    assert (await desk.store.head(STREAM)).snapshot_n == 8
    after = await desk.restart()
    assert present(after) == present(desk) == await full_replay(desk.store)


async def test_a_key_that_lost_its_state_does_not_come_back_in_part(desk: Desk) -> None:
    await fill(desk, 2)
    await fill(desk, 1, "clear")
    await desk.take(command("add", "d2", note=1))
    await desk.housekeep()
    assert (await desk.store.head(STREAM)).snapshot_n == 4
    assert (await desk.restart()).state() == Sum()


async def test_a_crash_between_states_and_head_does_no_harm(desk: Desk) -> None:
    await fill(desk, 6)
    await desk.take(command("clear"))
    await desk.take(command("add", note=3))
    await desk.take(command("clear"))
    changes = desk.journal.take_snapshot()
    head = await desk.store.head(STREAM)
    await desk.journal.save_snapshot(changes, 0)
    await desk.store.save_head(head)
    assert (await desk.restart()).state() == Sum()


async def test_the_causes_of_the_last_commits_below_a_snapshot_are_still_known(desk: Desk) -> None:
    again = [command("add", note=1) for _ in range(8)]
    for one in again:
        await desk.take(one)
        await desk.housekeep()
    after = await desk.restart()
    assert (await after.take(*again)).records == []
    assert after.tally.decided == []


async def test_causes_below_the_overlap_are_recognised_by_asking_the_store(desk: Desk) -> None:
    first = command("add", note=1)
    await desk.take(first)
    desk.clock.advance(3600)
    await fill(desk, 20)
    after = await desk.restart()
    assert (await after.take(first)).records == []
    assert after.tally.decided == []


async def test_old_commits_are_purged_and_the_state_stays(desk: Desk) -> None:
    await fill(desk, 10)
    desk.clock.advance(8 * 24 * 3600)
    await fill(desk, 10)
    assert (await whole(desk.store, STREAM))[0].n > 1
    assert present(await desk.restart()) == present(desk)


async def test_a_large_state_takes_less_room_than_a_document_has(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.bus.fold.LARGE_BYTES", 10)
    await fill(desk, 4)
    [state] = [snapshot.state for snapshot in await desk.store.snapshots(STREAM)]
    assert not state.startswith(b"{")
    assert present(await desk.restart()) == present(desk)


async def test_the_larger_the_states_the_rarer_are_snapshots(desk: Desk) -> None:
    await fill(desk, 4)
    assert not desk.journal.snapshot_due
    desk.journal._snapshot_bytes = size = 3_000  # as if the states were so large
    appended = 0
    while not desk.journal.snapshot_due:
        await desk.take(command("add", note=desk.journal.n))
        appended += len((await whole(desk.store, STREAM))[-1].body)
        assert desk.journal.snapshot_due == (appended >= size)
    assert desk.journal.n > 8


async def test_a_state_too_large_for_a_snapshot_stops_the_owner_loudly(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.store.records.MAX_STATE_BYTES", 10)
    for number in range(4):
        await desk.take(command("add", note=number))
    desk.stateful.housekeep()
    assert desk.stateful._saving is not None
    await asyncio.wait([desk.stateful._saving])
    with pytest.raises(ValueError, match="state of tester/0:d1"):
        desk.stateful.housekeep()


STEPS = st.lists(
    st.tuples(
        st.sampled_from([*COMMANDS, "again", "restart", "zombie", "wait"]),
        st.sampled_from(KEYS),
        st.integers(1, 3),
    ),
    max_size=40,
)
FAULTS = st.lists(st.sampled_from([Fault.NONE, Fault.NONE, Fault.UNREACHED, Fault.REPLY_LOST]), max_size=20)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, FAULTS, st.sampled_from([Tally, Resting]))
def test_snapshot_and_tail_are_the_full_replay_whatever_happens(
    steps: Sequence[Step], faults: Sequence[Fault], tally: type[Tally]
) -> None:
    asyncio.run(_play(steps, faults, tally))


async def _play(steps: Sequence[Step], faults: Sequence[Fault], tally: type[Tally]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        store = open_store(f"sqlite:///{Path(directory)}/store.db")
        await store.start()
        try:
            faulty = cast("Store", FaultyStore(store, faults))
            desk, published = await new_desk(faulty, tally=tally()), list[bytes | None]()
            last = command("add", note=1)
            for verb, key, number in steps:
                match verb:
                    case "restart":
                        published += ids(desk.out)
                        desk = await desk.restart()
                    case "zombie":
                        zombie = await new_desk(store, desk.clock, tally=tally())
                        await zombie.take(command("add", key, number))
                    case "wait":
                        await desk.pass_time(45 * number)
                    case "again":
                        await desk.take(last)
                    case _:
                        last = command(verb, key, number)
                        await desk.take(last)
                await desk.housekeep()
            desk = await desk.restart()
            await desk.journal.wake(KEYS, desk.clock.now_ms())
            assert present(desk) == await full_replay(store)
        finally:
            await store.close()


def test_the_clock_of_these_tests_stands_at_the_time_of_their_events() -> None:
    assert ManualClock(NOW).now() == NOW


async def test_a_key_without_state_is_forgotten_with_its_last_commit(desk: Desk) -> None:
    await fill(desk, 2)
    await fill(desk, 2, "clear")
    assert {snapshot.key for snapshot in await desk.store.snapshots(STREAM)} == {"d1"}
    desk.clock.advance(8 * 24 * 3600)
    for number in range(12):
        await desk.take(command("add", "d2", number))
        await desk.housekeep()
    assert {snapshot.key for snapshot in await desk.store.snapshots(STREAM)} == {"d2"}
    assert present(await desk.restart()) == present(desk)
