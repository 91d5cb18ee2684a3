"""Writes that wait for each other go out together, and each learns its own fate."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.store import Commit, GroupCommit, Store, StoreUnavailable
from tests.bus.faults import Fault, FaultyStore


class Slow(FaultyStore):
    """A store that is asked only when the test lets it be, and remembers how many commits at once."""

    def __init__(self, store: Store, *faults: Fault) -> None:
        super().__init__(store, faults)
        self.gate, self.sizes = asyncio.Event(), list[int]()

    async def append(self, commits: Sequence[Commit]) -> list[bool]:
        self.sizes.append(len(commits))
        await self.gate.wait()
        return await super().append(commits)


def commit(stream: int, n: int = 1) -> Commit:
    return Commit(f"g/{stream}", n, 1, (f"c-{stream}-{n}",), b"body")


async def all_of(slow: Slow, *commits: Commit) -> list[bool | BaseException]:
    appends = GroupCommit(slow.append)
    waiting = [asyncio.create_task(appends.write(one)) for one in commits]
    while not slow.sizes:
        await asyncio.sleep(0)
    slow.gate.set()
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_what_comes_in_during_an_append_goes_out_in_the_next_one(store: Store) -> None:
    slow = Slow(store)
    appends = GroupCommit(slow.append)
    first = asyncio.create_task(appends.write(commit(0)))
    while not slow.sizes:
        await asyncio.sleep(0)
    others = [asyncio.create_task(appends.write(commit(n))) for n in range(1, 6)]
    await asyncio.sleep(0)
    slow.gate.set()
    assert await asyncio.gather(first, *others) == [True] * 6
    assert slow.sizes == [1, 5]


async def test_a_taken_place_is_told_to_him_who_wanted_it_alone(store: Store) -> None:
    await store.append([commit(2)])
    assert await all_of(Slow(store), commit(1), commit(2), commit(3)) == [True, False, True]


async def test_a_failure_is_told_to_all_who_were_in_it_and_the_next_works(store: Store) -> None:
    slow = Slow(store, Fault.UNREACHED)
    answers = await all_of(slow, commit(1), commit(2))
    assert [type(answer) for answer in answers] == [StoreUnavailable, StoreUnavailable]
    assert await all_of(slow, commit(1), commit(2)) == [True, True]


async def test_a_caller_who_goes_away_takes_nobody_with_him(store: Store) -> None:
    slow = Slow(store)
    appends = GroupCommit(slow.append)
    gone, stays = (asyncio.create_task(appends.write(commit(n))) for n in (1, 2))
    while not slow.sizes:
        await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    slow.gate.set()
    assert await stays


async def test_nobody_waits_for_a_write_that_was_stopped_from_outside(store: Store) -> None:
    slow = Slow(store)
    appends = GroupCommit(slow.append)
    waiting = asyncio.create_task(appends.write(commit(1)))
    while not slow.sizes:
        await asyncio.sleep(0)
    assert appends._sender is not None
    appends._sender.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(5):
            await waiting
