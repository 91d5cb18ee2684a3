"""The MongoDB adapter: inserts on a unique `_id` decide, so that any compatible server will do."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import takewhile

from pymongo import ASCENDING, ReplaceOne

from shared.store import mongo_documents as codec
from shared.store.documents import Document as Stored
from shared.store.documents import Documents, check_kind
from shared.store.driver import DEFAULT_DATABASE, Client, Collection, Document, connect
from shared.store.mongo_errors import insert_absent, mapped
from shared.store.mongo_keyed import BULK, MongoDocuments
from shared.store.port import StoreUnavailable
from shared.store.records import Commit, Head, Parked, Snapshot, check_states

PURGE_PAGE = 500
POINT_READS = 8  # in flight at once, below the driver's number of connections


class MongoStore:
    """A `Store` in the database that the URL names. The URL's options may set the time-outs."""

    def __init__(self, url: str) -> None:
        """Prepare; `start` connects."""
        self._url = url
        self._client: Client | None = None
        self._saving = asyncio.Lock()

    @mapped
    async def start(self) -> None:
        if self._client is None:
            self._client = connect(self._url)
        await self.ping()
        for name, indexes in codec.INDEXES.items():
            for fields in indexes:  # one by one: FerretDB fails when asked again for several at once
                await self._collection(name).create_index([(field, ASCENDING) for field in fields])

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await asyncio.to_thread(client.close)  # it says good-bye to the server, and would block the loop

    @mapped
    async def ping(self) -> None:
        hello = await self._connected().admin.command("hello")
        if not hello.get("isWritablePrimary"):
            raise StoreUnavailable("MongoDB: connected to a server that is not a writable primary")

    @mapped
    async def append(self, commits: Sequence[Commit]) -> list[bool]:
        documents = [codec.commit_document(commit) for commit in commits]
        lost = await insert_absent(self._collection("commits"), documents)
        return [position not in lost for position in range(len(documents))]

    @mapped
    async def tail(self, stream: str, after: int, limit: int = 100) -> list[Commit]:
        # Some servers scan the collection for a range, so: point reads as long as there is a next commit, and
        # a range only where the log is empty or, purged, begins later.
        found: list[Commit] = []
        while len(found) < limit:
            page = await self._consecutive(stream, after + len(found), min(POINT_READS, limit - len(found)))
            found += page
            if len(page) < POINT_READS:
                break
        if found or (after and await self.commit(stream, after)):
            return found
        later = self._collection("commits").find({"stream": stream, "n": {"$gt": after}})
        return [codec.commit_of(document) async for document in later.sort("n").limit(limit)]

    @mapped
    async def commit(self, stream: str, n: int) -> Commit | None:
        document = await self._collection("commits").find_one({"_id": codec.commit_id(stream, n)})
        return codec.commit_of(document) if document else None

    @mapped
    async def known_causes(self, stream: str, causes: Sequence[str]) -> set[str]:
        query = {"stream": stream, "causes": {"$in": list(causes)}}
        cursor = self._collection("commits").find(query, {"causes": True})
        return {cause async for document in cursor for cause in document["causes"]}.intersection(causes)

    @mapped
    async def purge(self, stream: str, up_to: int, before: int) -> int:
        purged = 0
        while page := await self._purgeable(stream, up_to, before):
            await self._collection("commits").delete_many({"stream": stream, "n": {"$lte": page[-1]}})
            dropped = {"stream": stream, "dropped": True, "n": {"$lte": page[-1]}}
            await self._collection("snapshots").delete_many(dropped)
            purged += len(page)
        return purged

    @mapped
    async def head(self, stream: str) -> Head:
        document = await self._collection("heads").find_one({"_id": stream})
        return codec.head_of(document) if document else Head(stream)

    @mapped
    async def save_head(self, head: Head) -> None:
        document = codec.head_document(head)
        await self._collection("heads").replace_one({"_id": head.stream}, document, upsert=True)

    @mapped
    async def snapshots(self, stream: str) -> list[Snapshot]:
        cursor = self._collection("snapshots").find({"stream": stream, "dropped": False})
        return [codec.snapshot_of(document) async for document in cursor]

    @mapped
    async def save_snapshots(self, stream: str, n: int, states: Mapping[str, bytes | None]) -> None:
        check_states(stream, states)
        documents = [codec.snapshot_document(stream, key, n, state) for key, state in states.items()]
        snapshots = self._collection("snapshots")
        # No upsert: what it answers when a newer document is in its way differs between servers.
        async with self._saving:
            for at in range(0, len(documents), BULK):
                some = documents[at : at + BULK]
                if await replace_older(snapshots, some) < len(some):
                    there = await insert_absent(snapshots, some)
                    await replace_older(snapshots, [some[position] for position in there])

    @mapped
    async def park(self, parked: Sequence[Parked]) -> None:
        await insert_absent(self._collection("parked"), [codec.parked_document(p) for p in parked])

    @mapped
    async def parked_keys(self, lane: str) -> set[bytes]:
        return set(await self._collection("parked").distinct("key", {"lane": lane}))

    @mapped
    async def parked(self, lane: str, key: bytes, limit: int = 100) -> list[Parked]:
        cursor = self._collection("parked").find({"lane": lane, "key": key}).sort("_id").limit(limit)
        return [codec.parked_of(document) async for document in cursor]

    @mapped
    async def release(self, parked: Sequence[Parked]) -> None:
        await self._collection("parked").delete_many({"_id": {"$in": [codec.parked_id(p) for p in parked]}})

    async def insert_in_order(self, groups: Sequence[tuple[str, Sequence[Stored]]]) -> None:
        for kind, documents in groups:
            await self.documents(kind).insert(documents)

    def documents(self, kind: str) -> Documents:
        name = f"documents.{check_kind(kind)}"
        return MongoDocuments(lambda: self._collection(name), self._saving)

    async def _consecutive(self, stream: str, after: int, count: int) -> list[Commit]:
        reads = await asyncio.gather(*(self.commit(stream, after + i) for i in range(1, count + 1)))
        return [commit for commit in takewhile(bool, reads) if commit]

    async def _purgeable(self, stream: str, up_to: int, before: int) -> list[int]:
        query = {"stream": stream, "n": {"$lte": up_to}}
        cursor = self._collection("commits").find(query, {"n": True, "at": True}).sort("n").limit(PURGE_PAGE)
        oldest = await cursor.to_list(None)
        return [document["n"] for document in takewhile(lambda d: d["at"] < before, oldest)]

    def _connected(self) -> Client:
        if self._client is None:
            raise RuntimeError("start the store first")
        return self._client

    def _collection(self, name: str) -> Collection:
        return self._connected().get_default_database(DEFAULT_DATABASE)[name]


async def replace_older(collection: Collection, documents: Sequence[Document]) -> int:
    """Replace each document that is there and not from a later commit; how many were."""
    replacements = [ReplaceOne({"_id": d["_id"], "n": {"$lte": d["n"]}}, d) for d in documents]
    if not replacements:
        return 0
    return (await collection.bulk_write(replacements, ordered=False)).matched_count
