"""Records every query sent to SQLite or MongoDB and tells which of them no index bounds."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from pymongo import monitoring

from shared.store.mongo_documents import INDEXES
from shared.store.sqlite_schema import SCHEMA

WHOLE = ("json_each VIRTUAL TABLE", "SCAN page")
"""A list that comes with the statement, and a page that it has bounded, may be read whole."""
DATA_STATEMENTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


@dataclass
class Queries:
    """The queries of one test: SQL statements and (collection, filter, fields to sort by) of MongoDB."""

    statements: set[str] = field(default_factory=set)
    filters: list[tuple[str, Mapping[str, Any], tuple[str, ...]]] = field(default_factory=list)

    def unindexed(self) -> list[str]:
        """Those that walk through more than what they ask for."""
        return scans(self.statements) + [f"{query}" for query in self.filters if not bounded(*query)]

    def forget(self) -> None:
        """Start again from nothing."""
        self.statements.clear()
        self.filters.clear()


@contextmanager
def watch() -> Iterator[Queries]:
    """Record the queries of every SQLite connection and MongoDB client opened inside."""
    seen = Queries()
    connect = sqlite3.connect

    def traced(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **kwargs)
        connection.set_trace_callback(seen.statements.add)
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listener(), "seen", seen)
        patch.setattr(sqlite3, "connect", traced)
        yield seen


def scans(statements: Iterable[str]) -> list[str]:
    """Those of which SQLite's own plan reads a whole table or index, or sorts."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        return [statement for statement in sorted(statements) if walks(database, statement)]


def walks(database: sqlite3.Connection, statement: str) -> bool:
    """The plan of one statement has a scan or a sort."""
    if not statement.lstrip().upper().startswith(DATA_STATEMENTS):
        return False
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}")]
    scans = [step for step in plan if step.startswith("SCAN") and not any(whole in step for whole in WHOLE)]
    return bool(scans) or any("TEMP B-TREE" in step for step in plan)


def bounded(collection: str, query: Mapping[str, Any], sort: tuple[str, ...]) -> bool:
    """The filter is on `_id`, or on the first fields of an index, of which only the last may be a range."""
    if "_id" in query:
        return True
    return any(fits(index, query, sort) for index in INDEXES.get(collection, ()))


def fits(index: tuple[str, ...], query: Mapping[str, Any], sort: tuple[str, ...]) -> bool:
    """One index bounds the filter and already has the order that is asked for."""
    equal = [name for name in query if not isinstance(query[name], Mapping)]
    prefix = index[: len(query)]
    in_order = index[len(equal) :][: len(sort)] == sort
    return bool(query) and set(prefix) == set(query) and set(index[: len(equal)]) == set(equal) and in_order


class Listener(monitoring.CommandListener):
    """Notes the filters of every command of every client in this process."""

    def __init__(self) -> None:
        self.seen = Queries()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.seen.filters += list(filters(event.command_name, event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


@cache
def listener() -> Listener:
    """The one listener, registered with the driver at its first use: it cannot be taken away again."""
    listener = Listener()
    monitoring.register(listener)
    return listener


def filters(
    name: str, command: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any], tuple[str, ...]]]:
    """The filters of one MongoDB command."""
    match name:
        case "find":
            yield command[name], command.get("filter", {}), tuple(command.get("sort", {}))
        case "delete" | "update":
            yield from ((command[name], part["q"], ()) for part in command[f"{name}s"])
        case "distinct" | "count":
            yield command[name], command.get("query", {}), ()
        case "aggregate" | "findAndModify":
            yield command[name], {}, ()  # the adapter has no use for these
