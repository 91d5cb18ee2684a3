"""The embedded adapter: an SQLite file, synced at every commit, so that the platform needs no server."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shared.store import sqlite_schema as sql
from shared.store.documents import Document, Documents, check_kind
from shared.store.port import StoreUnavailable
from shared.store.records import Commit, Head, Parked, Snapshot, check_states
from shared.store.sqlite_documents import SqliteDocuments
from shared.store.sqlite_rows import (
    commit_of,
    commit_row,
    insert,
    pages,
    parked_of,
    parked_row,
    purge_page,
    run,
    select,
    select_known,
    together,
)
from shared.store.sqlite_thread import SqliteThread


class SqliteStore:
    """A `Store` in the file at `path`; `busy_seconds` bounds the wait for another process that writes it."""

    def __init__(self, path: str | Path, busy_seconds: float = 5.0) -> None:
        """Prepare; `start` creates the file and its directory."""
        self._db = SqliteThread(Path(path), busy_seconds)

    async def start(self) -> None:
        try:
            await self._db.open()
        except OSError as error:
            raise StoreUnavailable(f"SQLite: {error}") from error

    async def close(self) -> None:
        await self._db.close()

    async def ping(self) -> None:
        await self._db.write(lambda db: None)

    async def append(self, commits: Sequence[Commit]) -> list[bool]:
        rows = list(map(commit_row, commits))
        return await self._db.run(lambda db: insert(db, sql.INSERT_COMMITS, sql.TAKEN_COMMITS, rows))

    async def tail(self, stream: str, after: int, limit: int = 100) -> list[Commit]:
        return [commit_of(*row) for row in await self._select(sql.SELECT_TAIL, stream, after, limit)]

    async def commit(self, stream: str, n: int) -> Commit | None:
        rows = await self._select(sql.SELECT_COMMIT, stream, n)
        return commit_of(*rows[0]) if rows else None

    async def known_causes(self, stream: str, causes: Sequence[str]) -> set[str]:
        return await self._db.run(lambda db: select_known(db, stream, causes))

    async def purge(self, stream: str, up_to: int, before: int) -> int:
        purged = 0
        while page := await self._db.write(lambda db: purge_page(db, stream, up_to, before)):
            purged += page
        return purged

    async def head(self, stream: str) -> Head:
        rows = await self._select(sql.SELECT_HEAD, stream)
        return Head(*rows[0]) if rows else Head(stream)

    async def save_head(self, head: Head) -> None:
        await self._db.execute(sql.REPLACE_HEAD, (head.stream, head.snapshot_n, head.published_n))

    async def snapshots(self, stream: str) -> list[Snapshot]:
        return [Snapshot(*row) for row in await self._select(sql.SELECT_SNAPSHOTS, stream)]

    async def save_snapshots(self, stream: str, n: int, states: Mapping[str, bytes | None]) -> None:
        check_states(stream, states)
        rows = [(stream, key, n, state) for key, state in states.items()]
        for some in pages(rows):
            await self._db.execute(sql.SAVE_SNAPSHOTS, together(some))

    async def park(self, parked: Sequence[Parked]) -> None:
        await self._write(sql.INSERT_PARKED, [parked_row(message) for message in parked])

    async def parked_keys(self, lane: str) -> set[bytes]:
        return {key for (key,) in await self._select(sql.SELECT_PARKED_KEYS, lane)}

    async def parked(self, lane: str, key: bytes, limit: int = 100) -> list[Parked]:
        return [parked_of(*row) for row in await self._select(sql.SELECT_PARKED, lane, key, limit)]

    async def release(self, parked: Sequence[Parked]) -> None:
        await self._write(sql.DELETE_PARKED, [(p.lane, p.topic, p.offset) for p in parked])

    async def insert_in_order(self, groups: Sequence[tuple[str, Sequence[Document]]]) -> None:
        rows = [(check_kind(kind), document.id, document.body) for kind, some in groups for document in some]
        await self._db.execute(sql.INSERT_DOCUMENTS + sql.OR_NOTHING, together(rows))

    def documents(self, kind: str) -> Documents:
        return SqliteDocuments(self._db, check_kind(kind))

    async def _select(self, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
        return await self._db.run(lambda db: select(db, statement, *arguments))

    async def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        await self._db.write(lambda db: run(db, statement, rows))
