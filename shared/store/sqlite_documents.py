"""Documents in the SQLite adapter: one table for all kinds."""

import json
import sqlite3
from collections.abc import Sequence

from shared.store import sqlite_schema as sql
from shared.store.documents import ABOVE, Document
from shared.store.sqlite_rows import run, select
from shared.store.sqlite_thread import SqliteThread


class SqliteDocuments:
    """The `Documents` of one kind in a store's file."""

    def __init__(self, db: SqliteThread, kind: str) -> None:
        self._db, self._kind = db, kind

    async def insert(self, documents: Sequence[Document]) -> list[bool]:
        if not documents:
            return []
        return await self._db.write(lambda db: [self._insert(db, document) for document in documents])

    async def get(self, ids: Sequence[str]) -> dict[str, bytes]:
        if not ids:
            return {}
        wanted = json.dumps(list(ids))
        return dict(await self._db.read(lambda db: select(db, sql.SELECT_DOCUMENTS, self._kind, wanted)))

    async def put(self, documents: Sequence[Document]) -> None:
        rows = [(self._kind, document.id, document.body) for document in documents]
        if rows:
            await self._db.write(lambda db: run(db, sql.REPLACE_DOCUMENT, rows))

    async def delete(self, ids: Sequence[str]) -> None:
        rows = [(self._kind, id_) for id_ in ids]
        if rows:
            await self._db.write(lambda db: run(db, sql.DELETE_DOCUMENT, rows))

    async def scan(self, prefix: str = "", after: str = "", limit: int = 100) -> list[Document]:
        bounds = (self._kind, max(prefix, after), prefix, prefix + ABOVE, limit)
        rows = await self._db.read(lambda db: select(db, sql.SCAN_DOCUMENTS, *bounds))
        return [Document(*row) for row in rows]

    def _insert(self, db: sqlite3.Connection, document: Document) -> bool:
        return db.execute(sql.INSERT_DOCUMENT, (self._kind, document.id, document.body)).rowcount == 1
