"""One SQLite connection on one thread of its own: sqlite3 blocks, and a connection wants a single thread."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from shared.store.port import StoreError, StoreUnavailable
from shared.store.sqlite_schema import SCHEMA

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

FULL = 2  # PRAGMA synchronous: the write-ahead log is on the disk before COMMIT returns
HEALS = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}
MOST = 100
"""Writes of one transaction."""
BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class SqliteThread:
    """Runs functions of one connection in turn. `busy_seconds` bounds the wait for another process."""

    def __init__(self, path: Path, busy_seconds: float) -> None:
        """Prepare; `open` touches the file."""
        self._path = path
        self._busy_seconds = busy_seconds
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._connection: sqlite3.Connection | None = None
        self._waiting: list[tuple[Work[Any], asyncio.Future[Any]]] = []
        self._sender: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the file, create tables, assert durability. Idempotent."""
        await self._run(self._open)

    async def close(self) -> None:
        """Close the file and end the thread, after the writes that were asked for. Idempotent."""
        if self._sender is not None:
            await self._sender
        await asyncio.to_thread(self._close)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work`, which only reads, on the thread."""
        return await self._run(lambda: work(self._opened()))

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` atomically: all of it is durable when this returns.

        What is asked for while a transaction is under way shares the next one: making it durable is what
        takes long, and as long for one as for many. `work` may be run again, after what it did was undone.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())
        return await future

    async def _send(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            group = [(work, future) for work, future in some if not future.done()]
            works = [work for work, _ in group]
            try:
                outcomes = await self._run(partial(self._together, works))
            except Exception as error:  # noqa: BLE001  (each caller gets it, and decides)
                outcomes = [error] * len(group)
            for (_, future), outcome in zip(group, outcomes, strict=True):
                _settle(future, outcome)

    def _together(self, works: Sequence[Work[Any]]) -> list[Any]:
        return together(self._opened(), works)

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        except sqlite3.Error as error:
            raise translate(error) from error

    def _open(self) -> None:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = connect(self._path, self._busy_seconds)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise RuntimeError("start the store first")
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._executor.submit(self._connection.close).result()
            self._connection = None
        self._executor.shutdown()


def connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """A connection in autocommit mode with the schema in place; StoreError when it would not be durable."""
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
    try:
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(connection: sqlite3.Connection) -> None:
    """Switch to a synchronous write-ahead log and create what is missing."""
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    connection.execute(f"PRAGMA synchronous = {FULL}")
    (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
    if (mode, synchronous) != ("wal", FULL):
        raise StoreError(f"SQLite would not be durable: journal_mode={mode}, synchronous={synchronous}")
    connection.executescript(SCHEMA)


def atomically(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """All of `work` or nothing; the write lock is taken at once, so that two writers cannot deadlock."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.rollback()
    return result


def together(connection: sqlite3.Connection, works: Sequence[Work[Any]]) -> list[Any]:
    """Run `works` in one transaction; return by work what it returned, or the error that undid it.

    When one of them fails each gets a transaction of its own, so that it fails alone.
    """
    failed = []

    def one_after_the_other(db: sqlite3.Connection) -> list[Any]:
        try:
            return [work(db) for work in works]
        except Exception as error:
            failed.append(error)
            raise

    try:
        return atomically(connection, one_after_the_other)
    except Exception as error:  # noqa: BLE001  (each caller gets it, and decides)
        if len(works) == 1 or not failed:
            return [error] * len(works)
    return [outcome for work in works for outcome in together(connection, [work])]


def _settle(future: "asyncio.Future[Any]", outcome: Any) -> None:
    """Give a caller, unless it has gone, what came of its write."""
    if future.done():
        return
    if isinstance(outcome, sqlite3.Error):
        told = translate(outcome)
        told.__cause__ = None if told is outcome else outcome
        future.set_exception(told)
    elif isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def translate(error: sqlite3.Error) -> Exception:
    """The error our callers see; what is neither the disk's nor another process' doing is a bug and stays."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # extended codes keep the primary one in the low byte
    if code in HEALS:
        return StoreUnavailable(f"SQLite: {error}")
    return StoreError(f"SQLite: {error}") if code in BROKEN else error
