"""Writes that are asked for at the same time share a transaction, and nothing else."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.store import StoreUnavailable
from shared.store.sqlite_thread import SqliteThread


@pytest.fixture
async def thread(tmp_path: Path) -> AsyncIterator[SqliteThread]:
    thread = SqliteThread(tmp_path / "store.db", 0.05)
    await thread.open()
    yield thread
    await thread.close()


def insert(db: sqlite3.Connection, n: int) -> int:
    db.execute("INSERT INTO heads VALUES (?, ?, 0)", (f"{n:03}", n))
    return n


async def numbers(thread: SqliteThread) -> list[int]:
    every = "SELECT snapshot_n FROM heads WHERE stream >= '' ORDER BY stream"
    return await thread.read(lambda db: [n for (n,) in db.execute(every)])


async def all_of(thread: SqliteThread, *wanted: int) -> list[int | BaseException]:
    writes = (thread.write(lambda db, n=n: insert(db, n)) for n in wanted)  # type: ignore[misc]
    return await asyncio.gather(*writes, return_exceptions=True)


async def test_many_at_once_take_few_transactions_and_each_gets_its_own_answer(thread: SqliteThread) -> None:
    begun: list[str] = []
    await thread.read(lambda db: db.set_trace_callback(begun.append))
    assert await all_of(thread, *range(50)) == list(range(50))
    assert await numbers(thread) == list(range(50))
    assert begun.count("COMMIT") <= 2


async def test_one_that_fails_fails_alone(thread: SqliteThread) -> None:
    first, twin, last = await all_of(thread, 1, 1, 2)
    assert (first, last) == (1, 2)
    assert isinstance(twin, sqlite3.IntegrityError)
    assert await numbers(thread) == [1, 2]


async def test_a_commit_that_fails_fails_for_all_of_them_and_leaves_nothing(
    thread: SqliteThread, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    outcomes = await all_of(thread, 1, 2, 3)
    other.execute("ROLLBACK")
    other.close()
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
    assert await numbers(thread) == []


async def test_who_goes_away_takes_nobody_along(thread: SqliteThread) -> None:
    gone = asyncio.create_task(thread.write(lambda db: insert(db, 1)))
    stays = asyncio.create_task(thread.write(lambda db: insert(db, 2)))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == 2
    assert await thread.write(lambda db: insert(db, 3)) == 3


async def test_closing_waits_for_what_was_asked_for(tmp_path: Path) -> None:
    thread = SqliteThread(tmp_path / "store.db", 0.05)
    await thread.open()
    writes = [asyncio.create_task(thread.write(lambda db: db.total_changes)) for _ in range(3)]
    await asyncio.sleep(0)
    await thread.close()
    await asyncio.sleep(0)
    assert all(write.done() and write.exception() is None for write in writes)
