"""Faults at the worst moment: lost answers, killed writers, killed, frozen and absent servers."""

import asyncio
import signal
import sys
import time
from pathlib import Path

import pytest

from deploy.local.store import MongoServer
from shared.store import Store, StoreUnavailable, open_store
from tests.store.helpers import (
    a_commit,
    eventually,
    in_database,
    numbers,
    opened,
    whole,
    with_options,
    write_until,
)
from tests.store.proxy import TamperingProxy

ROOT = Path(__file__).parents[2]
SHORT = "serverSelectionTimeoutMS=300&socketTimeoutMS=500&connectTimeoutMS=300"
BOUND_SECONDS = 5.0


async def start_writer(url: str, stream: str, *last: str) -> asyncio.subprocess.Process:
    """A writer in a process of its own, its acknowledgements on standard output."""
    command = [sys.executable, "-m", "tests.store.writer", url, stream, *last]
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)


async def acknowledged(writer: asyncio.subprocess.Process, count: int) -> list[int]:
    """The first `count` acknowledgements, or all when it ends before."""
    assert writer.stdout is not None
    lines: list[bytes] = []
    while len(lines) < count and (line := await writer.stdout.readline()).endswith(b"\n"):
        lines.append(line)
    return [int(line) for line in lines]


async def grown(won: list[int], by: int) -> None:
    """Wait until a writer has won that many more."""
    goal, deadline = len(won) + by, time.monotonic() + 30
    while len(won) < goal:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def refuses_in_time(store: Store, stream: str, n: int) -> None:
    """An append fails as unavailable, and soon."""
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await store.append([a_commit(stream, n)])
    assert time.monotonic() - begun < BOUND_SECONDS


async def test_everything_acknowledged_survives_the_kill_of_its_writer(store_url: str, stream: str) -> None:
    writer = await start_writer(store_url, stream)
    seen = await acknowledged(writer, 30)
    writer.kill()
    seen += await acknowledged(writer, sys.maxsize)
    assert await writer.wait() == -signal.SIGKILL
    async with opened(store_url) as store:
        kept = await numbers(store, stream)
    assert seen == list(range(1, len(seen) + 1))
    assert kept == list(range(1, len(kept) + 1))
    assert len(seen) <= len(kept) <= len(seen) + 1


async def test_a_writer_killed_between_commit_and_answer_finds_its_commit(
    store_url: str, stream: str
) -> None:
    writer = await start_writer(store_url, stream, "3")
    assert await acknowledged(writer, sys.maxsize) == [1, 2]
    assert await writer.wait() == -signal.SIGKILL
    async with opened(store_url) as store:
        assert await store.append([a_commit(stream, 3)]) == [False]
        assert await whole(store, stream) == [a_commit(stream, n) for n in (1, 2, 3)]


@pytest.mark.real_mongo
async def test_a_reply_lost_after_insert_is_recognised_as_our_own(mongo_store_url: str, stream: str) -> None:
    commits = [a_commit(stream, 1, b"ours"), a_commit(f"{stream}0", 1, b"ours")]
    async with TamperingProxy(mongo_store_url) as proxy, opened(proxy.url) as store:
        proxy.lose_answer_to_next_insert()
        with pytest.raises(StoreUnavailable):
            await store.append(commits)
        assert proxy.lost == 1
        assert await store.append(commits) == [False, False]
        assert await store.tail(stream, 0) == commits[:1]


@pytest.mark.real_mongo
async def test_a_late_snapshot_that_slips_in_before_a_newer_one_is_replaced(
    mongo_store_url: str, stream: str
) -> None:
    async with (
        TamperingProxy(mongo_store_url) as proxy,
        opened(proxy.url) as owner,
        opened(mongo_store_url) as late,
    ):
        proxy.before_next_insert = lambda: late.save_snapshots(stream, 1, {"a": b"old"})
        await owner.save_snapshots(stream, 2, {"a": b"new", "b": b"new"})
        found = {snapshot.key: (snapshot.n, snapshot.state) for snapshot in await owner.snapshots(stream)}
    assert found == {"a": (2, b"new"), "b": (2, b"new")}


@pytest.mark.real_mongo
async def test_everything_acknowledged_survives_the_kill_of_the_server(
    mongo_server: MongoServer, mongo_store_url: str, stream: str
) -> None:
    won: list[int] = []
    async with opened(with_options(mongo_store_url, SHORT)) as store:
        writing = asyncio.create_task(write_until(store, stream, sys.maxsize, b"ours", won))
        for _ in range(3):
            await grown(won, by=50)
            await asyncio.to_thread(mongo_server.kill)
            await asyncio.to_thread(mongo_server.start)
        await grown(won, by=50)
        writing.cancel()
        await asyncio.wait([writing])
        kept = await numbers(store, stream)
    assert kept == list(range(1, len(kept) + 1))
    assert set(won) <= set(kept)
    assert len(won) == len(set(won)) >= len(kept) - 4  # three kills and the end lose an answer each


@pytest.mark.real_mongo
async def test_a_server_that_is_gone_is_reported_in_time_and_found_again(
    mongo_server: MongoServer, mongo_store_url: str, stream: str
) -> None:
    async with opened(with_options(mongo_store_url, SHORT)) as store:
        await store.append([a_commit(stream, 1)])
        await asyncio.to_thread(mongo_server.kill)
        await refuses_in_time(store, stream, 2)
        with pytest.raises(StoreUnavailable):
            await store.ping()
        await asyncio.to_thread(mongo_server.start)
        await eventually(store.ping)
        assert await store.append([a_commit(stream, 1), a_commit(stream, 2)]) == [False, True]


@pytest.mark.real_mongo
async def test_a_frozen_server_is_reported_in_time_and_found_again(
    mongo_server: MongoServer, mongo_store_url: str, stream: str
) -> None:
    async with opened(with_options(mongo_store_url, SHORT)) as store:
        await store.append([a_commit(stream, 1)])
        await asyncio.to_thread(mongo_server.pause)
        await refuses_in_time(store, stream, 2)
        await asyncio.to_thread(mongo_server.resume)
        await eventually(store.ping)
        await write_until(store, stream, 5, b"body", won=[])
        assert await numbers(store, stream) == [1, 2, 3, 4, 5]


@pytest.mark.real_mongo
async def test_a_store_started_before_its_server_starts_later(mongo_server: MongoServer, stream: str) -> None:
    await asyncio.to_thread(mongo_server.kill)
    store = open_store(with_options(in_database(mongo_server.url, "late"), SHORT))
    with pytest.raises(StoreUnavailable):
        await store.start()
    await asyncio.to_thread(mongo_server.start)
    await eventually(store.start)
    assert await store.append([a_commit(stream, 1)]) == [True]
    await store.close()


@pytest.mark.real_mongo
async def test_a_server_that_may_not_write_is_unavailable_until_it_may(mongo_store_url: str) -> None:
    async with TamperingProxy(mongo_store_url) as proxy:
        store = open_store(proxy.url)
        proxy.read_only = True
        with pytest.raises(StoreUnavailable, match="not a writable primary"):
            await store.start()
        proxy.read_only = False
        await store.start()
        await store.close()
