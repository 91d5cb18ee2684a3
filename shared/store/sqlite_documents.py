"""Documents in the SQLite adapter: one table for all kinds."""

import json
from collections.abc import Sequence

from shared.store import sqlite_schema as sql
from shared.store.documents import ABOVE, Document
from shared.store.sqlite_rows import Row, insert, select, together
from shared.store.sqlite_thread import SqliteThread


class SqliteDocuments:
    """The `Documents` of one kind in a store's file."""

    def __init__(self, db: SqliteThread, kind: str) -> None:
        self._db, self._kind = db, kind

    async def insert(self, documents: Sequence[Document]) -> list[bool]:
        if not documents:
            return []
        rows = self._rows(documents)
        return await self._db.run(lambda db: insert(db, sql.INSERT_DOCUMENTS, sql.TAKEN_DOCUMENTS, rows))

    async def get(self, ids: Sequence[str]) -> dict[str, bytes]:
        if not ids:
            return {}
        wanted = json.dumps(list(ids))
        return dict(await self._db.run(lambda db: select(db, sql.SELECT_DOCUMENTS, self._kind, wanted)))

    async def put(self, documents: Sequence[Document]) -> None:
        rows = self._rows(documents)
        if rows:
            await self._db.execute(sql.REPLACE_DOCUMENTS, together(rows))

    async def delete(self, ids: Sequence[str]) -> None:
        if ids:
            await self._db.execute(sql.DELETE_DOCUMENTS, (self._kind, json.dumps(list(ids))))

    async def scan(self, prefix: str = "", after: str = "", limit: int = 100) -> list[Document]:
        bounds = (self._kind, max(prefix, after), prefix, prefix + ABOVE, limit)
        rows = await self._db.run(lambda db: select(db, sql.SCAN_DOCUMENTS, *bounds))
        return [Document(*row) for row in rows]

    def _rows(self, documents: Sequence[Document]) -> list[Row]:
        return [(self._kind, document.id, document.body) for document in documents]
