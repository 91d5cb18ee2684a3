"""Records that wait to be forwarded, by the replica that took them in and by lane."""

import asyncio
from collections.abc import Iterable, Sequence

from services.intake.stored import Waiting
from shared.store import Document, Documents, GroupCommit
from shared.store.documents import ABOVE

PAGE = 100
URGENT, ORDINARY = LANES = ("0", "1")


class Outbox:
    """The outbox that all replicas share; `me` is this one. A record in it was accepted and may be unsent."""

    def __init__(self, documents: Documents, me: str) -> None:
        self._documents = documents
        self._together = GroupCommit(documents.insert)
        self.me = me
        self.news = {lane: asyncio.Event() for lane in LANES}
        """Set when something of ours is put into a lane."""

    async def put(self, record: Waiting) -> None:
        """Make a record durable here. The same one again, under the same id, changes nothing."""
        lane = URGENT if record.urgent else ORDINARY
        await self._together.write(Document(f"{self.me}/{lane}/{record.id}", record.body()))
        self.news[lane].set()

    async def page(self, owner: str, lane: str) -> list[tuple[str, Waiting]]:
        """Return the oldest records of an owner's lane, each with its place."""
        found = await self._documents.scan(f"{owner}/{lane}/", limit=PAGE)
        return [(document.id, Waiting.model_validate_json(document.body)) for document in found]

    async def forget(self, places: Iterable[str]) -> None:
        """Take out what was forwarded."""
        await self._documents.delete(list(places))

    async def others(self) -> Sequence[str]:
        """Return the replicas but this one for which something waits."""
        owners: list[str] = []
        while found := await self._documents.scan(after=owners[-1] + "/" + ABOVE if owners else "", limit=1):
            owners.append(found[0].id.partition("/")[0])
        return [owner for owner in owners if owner != self.me]
