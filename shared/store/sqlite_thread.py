"""One SQLite connection on one thread of its own: sqlite3 blocks, and a connection wants a single thread."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from shared.store.port import StoreError, StoreUnavailable
from shared.store.sqlite_rows import atomically
from shared.store.sqlite_schema import SCHEMA

T = TypeVar("T")

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
BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class SqliteThread:
    """Runs functions of one connection in turn. `busy_seconds` bounds the wait for another process."""

    def __init__(self, path: Path, busy_seconds: float) -> None:
        """Prepare; `open` touches the file."""
        self._path = path
        self._busy_seconds = busy_seconds
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open the file, create tables, assert durability. Idempotent."""
        await self._run(self._open)

    async def close(self) -> None:
        """Close the file and end the thread. Idempotent."""
        await asyncio.to_thread(self._close)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on the thread; each statement of it is a transaction of its own."""
        return await self._run(lambda: work(self._opened()))

    async def execute(self, statement: str, arguments: Sequence[object]) -> None:
        """Run a statement that writes: all of it is durable when this returns."""
        await self.run(lambda db: db.execute(statement, arguments))

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` as one transaction: all of it is durable when this returns."""
        return await self._run(lambda: atomically(self._opened(), work))

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
    path.touch(mode=0o600)  # SQLite gives its other files the same rights
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
    # What a statement sorts aside must not need a disk of its own.
    connection.execute("PRAGMA temp_store = MEMORY")
    (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
    if (mode, synchronous) != ("wal", FULL):
        raise StoreError(f"SQLite would not be durable: journal_mode={mode}, synchronous={synchronous}")
    connection.executescript(SCHEMA)


def translate(error: sqlite3.Error) -> Exception:
    """The error our callers see; what is neither the disk's nor another process' doing is a bug and stays."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # extended codes keep the primary one in the low byte
    if code in HEALS:
        return StoreUnavailable(f"SQLite: {error}")
    return StoreError(f"SQLite: {error}") if code in BROKEN else error
