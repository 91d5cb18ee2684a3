"""Documents in the MongoDB adapter: a collection for each kind, so that no kind slows another's scans."""

import asyncio
from collections.abc import Callable, Sequence

from pymongo import ReplaceOne

from shared.store.documents import ABOVE, Document
from shared.store.driver import Collection
from shared.store.mongo_errors import insert_absent, mapped

BULK = 20
"""Documents replaced at once, one bulk after another: FerretDB stops for ever at larger ones, or at many."""


class MongoDocuments:
    """The `Documents` of one kind; `collection` gives their collection once the store is started.

    `turn` is held while documents are replaced: a store does that one bulk at a time.
    """

    def __init__(self, collection: Callable[[], Collection], turn: asyncio.Lock) -> None:
        self._collection, self._turn = collection, turn

    @mapped
    async def insert(self, documents: Sequence[Document]) -> list[bool]:
        rows = [{"_id": document.id, "body": document.body} for document in documents]
        lost = await insert_absent(self._collection(), rows)
        return [position not in lost for position in range(len(rows))]

    @mapped
    async def get(self, ids: Sequence[str]) -> dict[str, bytes]:
        if not ids:
            return {}
        query = {"_id": ids[0] if len(ids) == 1 else {"$in": list(ids)}}  # some servers scan for `$in`
        return {row["_id"]: row["body"] async for row in self._collection().find(query)}

    @mapped
    async def put(self, documents: Sequence[Document]) -> None:
        last = {document.id: {"_id": document.id, "body": document.body} for document in documents}
        writes = [ReplaceOne({"_id": id_}, row, upsert=True) for id_, row in last.items()]
        for at in range(0, len(writes), BULK):
            async with self._turn:
                await self._collection().bulk_write(writes[at : at + BULK], ordered=False)

    @mapped
    async def delete(self, ids: Sequence[str]) -> None:
        if ids:
            await self._collection().delete_many({"_id": {"$in": list(ids)}})

    @mapped
    async def scan(self, prefix: str = "", after: str = "", limit: int = 100) -> list[Document]:
        bounds = {"$gte": prefix, "$gt": after, "$lt": prefix + ABOVE}
        found = self._collection().find({"_id": bounds}).sort("_id").limit(limit)
        return [Document(row["_id"], row["body"]) async for row in found]
