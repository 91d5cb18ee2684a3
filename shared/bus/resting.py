"""Keys at rest: what is over, and hardly ever asked for again, waits in the store instead of in memory.

Each rest is a document of its own, the newest of a key sorting first, so that a former owner that was frozen
and wakes up hides nothing newer. A key that has lost its state says so in the same way. A document is deleted
when a newer one is there, and when it has been kept for long enough.
"""

import asyncio
from collections.abc import Collection, Mapping
from datetime import timedelta
from itertools import islice

from shared.contracts.ids import derived_id
from shared.store import Document, Snapshot, Store
from shared.store.expiry import KIND as AGENDA
from shared.store.expiry import entry
from shared.store.records import MAX_BODY_BYTES

KIND = "resting"
GONE = b""
"""Stands for a key that has no state any more."""
GRACE = timedelta(days=7)
"""A document is there for so much longer than it counts: what woke may be in the log alone for a while."""
MS = timedelta(milliseconds=1)
DIGITS = 20
"""More than a time takes in front of a state."""
MOST_N = 10**15
"""More than the commits a stream ever has, so that all identities have as many digits."""
READS = 4
"""At once, for each stream: a store has only so many connections, and appends need some, too."""


class Resting:
    """The keys of one stream that rest. `kept`: for how long; None where no key ever does."""

    def __init__(self, store: Store, stream: str, kept: timedelta | None) -> None:
        self._store, self._stream, self._kept = store, stream, kept
        self._documents = store.documents(KIND)

    async def find(self, keys: Collection[str], at_ms: int) -> list[Snapshot]:
        """Return those of `keys` that rest at `at_ms`, as they were when they went to rest, or as GONE.

        It is the time of the decision that asks, also when it is replayed: both see the same.
        """
        found, left = list[Snapshot | None](), iter(() if self._kept is None else keys)
        while some := list(islice(left, READS)):
            found += await asyncio.gather(*(self._newest(key, at_ms) for key in some))
        return [snapshot for snapshot in found if snapshot is not None]

    async def _newest(self, key: str, at_ms: int) -> Snapshot | None:
        prefix = self._prefix(key)
        found = await self._documents.scan(prefix, limit=1)
        if not found or self._kept is None:
            return None
        since, _, state = found[0].body.partition(b" ")
        if int(since) + self._kept / MS < at_ms:
            return None
        return Snapshot(self._stream, key, MOST_N - int(found[0].id.removeprefix(prefix)), state)

    async def save(self, n: int, states: Mapping[str, bytes], at_ms: int) -> None:
        """Put keys to rest as they are after commit `n`, or say that they are GONE."""
        if not states or self._kept is None:
            return
        documents = [Document(self._id(key, n), b"%d %b" % (at_ms, state)) for key, state in states.items()]
        agenda = [entry(KIND, document.id, at_ms, self._kept + GRACE) for document in documents]
        await self._store.documents(AGENDA).insert(agenda)  # first: what is not on it is never deleted
        await self._documents.insert(documents)

    async def forget(self, rests: Mapping[str, int]) -> None:
        """Delete what newer documents have taken the place of, by key and commit."""
        if rests:
            await self._documents.delete([self._id(key, n) for key, n in rests.items()])

    def _id(self, key: str, n: int) -> str:
        return f"{self._prefix(key)}{MOST_N - n:016d}"

    def _prefix(self, key: str) -> str:
        return f"{derived_id(self._stream, KIND, key, 0)}/"


def fits(state: bytes) -> bool:
    """Whether a state may rest: a document is smaller than a snapshot."""
    return len(state) <= MAX_BODY_BYTES - DIGITS
