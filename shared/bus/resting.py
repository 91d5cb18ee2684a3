"""Keys at rest: what is over, and hardly ever asked for again, waits in the store instead of in memory.

Each rest is a document of its own, the newest of a key sorting first, so that a former owner that was frozen
and wakes up hides nothing newer. It is deleted when it has been kept for long enough.
"""

import asyncio
from collections.abc import Collection, Mapping
from datetime import timedelta

from shared.contracts.ids import derived_id
from shared.store import Document, Snapshot, Store
from shared.store.expiry import KIND as AGENDA
from shared.store.expiry import entry
from shared.store.records import MAX_BODY_BYTES

KIND = "resting"
MOST_N = 10**15
"""More than the commits a stream ever has, so that all identities have as many digits."""


class Resting:
    """The keys of one stream that rest. `kept`: for how long; None where no key ever does."""

    def __init__(self, store: Store, stream: str, kept: timedelta | None) -> None:
        self._store, self._stream, self._kept = store, stream, kept
        self._documents = store.documents(KIND)

    async def find(self, keys: Collection[str]) -> list[Snapshot]:
        """Return those of `keys` that rest, as they were when they went to rest."""
        if self._kept is None:
            return []
        found = await asyncio.gather(*map(self._newest, keys))
        return [snapshot for snapshot in found if snapshot is not None]

    async def _newest(self, key: str) -> Snapshot | None:
        prefix = self._prefix(key)
        found = await self._documents.scan(prefix, limit=1)
        if not found:
            return None
        n = MOST_N - int(found[0].id.removeprefix(prefix))
        return Snapshot(self._stream, key, n, found[0].body)

    async def save(self, n: int, states: Mapping[str, bytes], at_ms: int) -> None:
        """Put keys to rest, as they are after commit `n`."""
        if not states or self._kept is None:
            return
        documents = [Document(self._id(key, n), state) for key, state in states.items()]
        await self._documents.insert(documents)
        agenda = self._store.documents(AGENDA)
        await agenda.insert([entry(KIND, document.id, at_ms, self._kept) for document in documents])

    async def end(self, rests: Mapping[str, int]) -> None:
        """Forget rests that are over, by key and commit: what the keys are now is saved elsewhere."""
        if rests:
            await self._documents.delete([self._id(key, n) for key, n in rests.items()])

    def _id(self, key: str, n: int) -> str:
        return f"{self._prefix(key)}{MOST_N - n:016d}"

    def _prefix(self, key: str) -> str:
        return f"{derived_id(self._stream, KIND, key, 0)}/"


def fits(state: bytes) -> bool:
    """Whether a state may rest: a document is smaller than a snapshot."""
    return len(state) <= MAX_BODY_BYTES
