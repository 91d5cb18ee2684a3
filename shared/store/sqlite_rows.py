"""What runs on the SQLite adapter's thread: rows to records and back, and the work of one transaction."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from shared.store import sqlite_schema as sql
from shared.store.records import Commit, Parked

PURGE_PAGE = 500
PAGE_BYTES = 8 * 1024 * 1024
Row = Sequence[Any]
T = TypeVar("T")


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


def select(connection: sqlite3.Connection, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
    """All rows of one query."""
    return connection.execute(statement, arguments).fetchall()


def run(connection: sqlite3.Connection, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    """One statement for many rows."""
    connection.executemany(statement, rows)


def together(rows: Iterable[Row]) -> tuple[str, bytes]:
    """Return rows, whose last field is a blob or None, as a statement takes them: a list, and all blobs."""
    listed, blobs, start = [], [b"-"], 2  # SQLite takes any piece of an empty blob for NULL
    for *fields, blob in rows:
        listed.append((*fields, start, None if blob is None else len(blob)))
        blobs.append(blob or b"")
        start += len(blobs[-1])
    return json.dumps(listed), b"".join(blobs)


def pages(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Yield rows, whose last field is a blob or None, in parts of about PAGE_BYTES: SQLite keeps copies."""
    page, size = list[Row](), 0
    for row in rows:
        page.append(row)
        size += len(row[-1] or b"")
        if size >= PAGE_BYTES:
            yield page
            page, size = [], 0
    yield page


def insert(connection: sqlite3.Connection, statement: str, taken: str, rows: Sequence[Row]) -> list[bool]:
    """Insert, durably and each for itself, those rows whose place is free; True for each that was.

    Nearly always all are, so that one statement does it, which is a transaction by itself. A row's place is
    its first two fields; else `taken` tells which are.
    """
    listed, blobs = together(rows)
    try:
        connection.execute(statement, (listed, blobs))
    except sqlite3.IntegrityError:
        taken_at = atomically(connection, lambda db: _insert_free(db, statement, taken, listed, blobs))
        return _free(rows, {rows[number][:2] for number in taken_at})
    return [True] * len(rows)


def _insert_free(
    connection: sqlite3.Connection, statement: str, taken: str, listed: str, blobs: bytes
) -> list[int]:
    [(numbers,)] = select(connection, taken, listed)
    connection.execute(statement + sql.OR_NOTHING, (listed, blobs))
    return list(json.loads(numbers))


def _free(rows: Sequence[Row], places: set[Row]) -> list[bool]:
    free = []
    for row in rows:
        free.append(row[:2] not in places)
        places.add(row[:2])
    return free


def commit_row(commit: Commit) -> Row:
    """Return a commit as a row of `commits`."""
    return commit.stream, commit.n, commit.at, json.dumps(commit.causes), commit.body


def select_known(connection: sqlite3.Connection, stream: str, causes: Sequence[str]) -> set[str]:
    """Those causes that a commit of the stream has."""
    return {cause for (cause,) in select(connection, sql.SELECT_KNOWN, json.dumps(list(causes)), stream)}


def purge_page(connection: sqlite3.Connection, stream: str, up_to: int, before: int) -> int:
    """Delete the next few purgeable commits, and what waited for them to go; how many there were."""
    [(count, last)] = select(connection, sql.SELECT_PURGEABLE, stream, up_to, before, PURGE_PAGE)
    if count:
        for statement in (sql.DELETE_CAUSES, sql.DELETE_COMMITS, sql.DELETE_DROPPED):
            connection.execute(statement, (stream, last))
    return int(count)


def commit_of(stream: str, n: int, at: int, causes: str, body: bytes) -> Commit:
    """A row of `commits` as a record."""
    return Commit(stream, n, at, tuple(json.loads(causes)), body)


def parked_row(p: Parked) -> tuple[object, ...]:
    """A record as a row of `parked`; header bytes travel through JSON as Latin-1, which maps every byte."""
    texts = [(name, None if value is None else value.decode("latin-1")) for name, value in p.headers]
    return (p.lane, p.topic, p.partition, p.offset, p.key, p.value, json.dumps(texts), p.timestamp, p.reason)


def parked_of(*row: Any) -> Parked:
    """A row of `parked` as a record."""
    lane, topic, partition, offset, key, value, headers, timestamp, reason = row
    pairs = (
        (name, None if value is None else value.encode("latin-1")) for name, value in json.loads(headers)
    )
    return Parked(lane, topic, partition, offset, key, value, tuple(pairs), timestamp, reason)
