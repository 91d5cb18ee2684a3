"""What runs on the SQLite adapter's thread: rows to records and back, and the work of one transaction."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any

from shared.store import sqlite_schema as sql
from shared.store.records import Commit, Parked

PURGE_PAGE = 500


def select(connection: sqlite3.Connection, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
    """All rows of one query."""
    return connection.execute(statement, arguments).fetchall()


def run(connection: sqlite3.Connection, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    """One statement for many rows."""
    connection.executemany(statement, rows)


def insert_commits(connection: sqlite3.Connection, commits: Sequence[Commit]) -> list[bool]:
    """Insert those whose place is free; True for each that was."""
    return [insert_commit(connection, commit) for commit in commits]


def insert_commit(connection: sqlite3.Connection, commit: Commit) -> bool:
    """Insert a commit and index its causes, or do nothing when its place is taken."""
    causes = json.dumps(commit.causes)
    row = (commit.stream, commit.n, commit.at, causes, commit.body)
    if connection.execute(sql.INSERT_COMMIT, row).rowcount == 0:
        return False
    # One statement for all: after each, SQLite's thread waits up to 5 ms for the interpreter's lock.
    connection.execute(sql.INSERT_CAUSES, (commit.stream, commit.n, causes))
    return True


def select_known(connection: sqlite3.Connection, stream: str, causes: Sequence[str]) -> set[str]:
    """Those causes that a commit of the stream has."""
    return {cause for (cause,) in select(connection, sql.SELECT_KNOWN, json.dumps(list(causes)), stream)}


def purge_page(connection: sqlite3.Connection, stream: str, up_to: int, before: int) -> int:
    """Delete the next few purgeable commits, and what waited for them to go; how many there were."""
    page = select(connection, sql.SELECT_OLDEST, stream, up_to, PURGE_PAGE)
    old = list(takewhile(lambda row: row[1] < before, page))
    run(connection, sql.DELETE_COMMIT, [(stream, n) for n, _, _ in old])
    run(connection, sql.DELETE_CAUSE, [(stream, c, n) for n, _, causes in old for c in json.loads(causes)])
    run(connection, sql.DELETE_DROPPED, [(stream, n) for n, _, _ in old[-1:]])
    return len(old)


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
