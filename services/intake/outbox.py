"""Records that wait to be forwarded, by the replica that took them in and by lane.

The store has all of them, so that none is lost. Its own a replica also remembers: it reads them back only
where it could not remember all, or does not know whether a write took effect.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from itertools import islice

from services.intake.stored import Waiting
from shared.store import Document, Documents, StoreError
from shared.store.documents import ABOVE

KIND = "outbox"
PAGE = 100
DOUBT_SECONDS = 30.0
"""How long a write whose outcome is unknown may still take effect: longer than any store is waited for."""
REMEMBERED = 5_000
"""Records of a lane that are kept in memory; of an outage's others only the store knows."""
URGENT, ORDINARY = LANES = ("0", "1")


class Outbox:
    """The outbox that all replicas share; `me` is this one. A record in it was accepted and may be unsent."""

    def __init__(self, documents: Documents, me: str) -> None:
        self._documents = documents
        self.me = me
        self.news = {lane: asyncio.Event() for lane in LANES}
        """Set when something of ours is put into a lane."""
        self._remembered: dict[str, dict[str, Waiting]] = {lane: {} for lane in LANES}
        self._unread: set[str] = set()
        """Lanes of ours of which the store has more than is remembered, or may have."""
        self._doubted_until = 0.0
        self._sent: dict[str, None] = {}
        """Places that are forwarded and may still be in the store."""

    def document(self, record: Waiting) -> Document:
        """Return what makes a record durable here. The same one again, under the same id, changes nothing."""
        return Document(self._place(record), record.body())

    def note(self, record: Waiting) -> None:
        """Let a record be forwarded that is durable now, unless it just was.

        While older ones wait in the store alone it waits there too, or they would wait for ever.
        """
        lane, place = _lane(record), self._place(record)
        if place in self._sent:
            return
        if lane not in self._unread and len(self._remembered[lane]) < REMEMBERED:
            self._remembered[lane][place] = record
        else:
            self._unread.add(lane)
        self.news[lane].set()

    def doubt(self) -> None:
        """Have the store read, for a while: whether a write of ours took effect, or will, is unknown."""
        self._doubted_until = time.monotonic() + DOUBT_SECONDS
        self._unread.update(LANES)

    async def put(self, record: Waiting) -> None:
        """Make a record durable here, and let it be forwarded, unless it just was."""
        if self._place(record) in self._sent:  # the next tidy would delete it
            return
        try:
            await self._documents.insert([self.document(record)])
        except StoreError:
            self.doubt()
            raise
        self.note(record)

    async def page(self, owner: str, lane: str) -> list[tuple[str, Waiting]]:
        """Return the oldest records of an owner's lane, each with its place."""
        if owner != self.me:
            return await self._read(owner, lane)
        if not self._remembered[lane] and lane in self._unread:
            return await self._read_again(lane)
        return list(islice(self._remembered[lane].items(), PAGE))

    async def forget(self, places: Iterable[str]) -> None:
        """Take out what was forwarded; what is ours leaves the store with the next `tidy`."""
        found = list(places)
        ours = [place for place in found if place.startswith(f"{self.me}/")]
        if theirs := [place for place in found if not place.startswith(f"{self.me}/")]:
            await self._documents.delete(theirs)
        for remembered in self._remembered.values():
            for place in ours:
                remembered.pop(place, None)
        self._sent |= dict.fromkeys(ours)

    async def tidy(self) -> None:
        """Delete what was forwarded, many records at once.

        What a crash leaves is forwarded again: the same bytes under the same id.
        """
        sent = list(self._sent)
        await self._documents.delete(sent)
        for place in sent:
            self._sent.pop(place, None)  # or another `tidy` has

    async def others(self) -> Sequence[str]:
        """Return the replicas but this one for which something waits."""
        owners: list[str] = []
        while found := await self._documents.scan(after=owners[-1] + "/" + ABOVE if owners else "", limit=1):
            owners.append(found[0].id.partition("/")[0])
        return [owner for owner in owners if owner != self.me]

    async def _read_again(self, lane: str) -> list[tuple[str, Waiting]]:
        self._unread.discard(lane)  # what is put meanwhile may add it again
        try:
            await self.tidy()
            found = await self._read(self.me, lane)
        except StoreError:
            self._unread.add(lane)
            raise
        if len(found) == PAGE or time.monotonic() < self._doubted_until:
            self._unread.add(lane)
        return found

    async def _read(self, owner: str, lane: str) -> list[tuple[str, Waiting]]:
        found = await self._documents.scan(f"{owner}/{lane}/", limit=PAGE)
        return [(document.id, Waiting.model_validate_json(document.body)) for document in found]

    def _place(self, record: Waiting) -> str:
        return f"{self.me}/{_lane(record)}/{record.id}"


def _lane(record: Waiting) -> str:
    return URGENT if record.urgent else ORDINARY
