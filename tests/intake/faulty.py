"""A store around a real one whose document writes fail as told: before they took effect, or after."""

import asyncio
from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Any

from shared.store import Document, Documents, Store, StoreUnavailable


class Fault(Enum):
    """What happens to one insert."""

    NONE = "it works"
    UNREACHED = "the request is lost"
    REPLY_LOST = "the documents are there and the reply is lost"
    HANGS = "no answer comes"


class FaultyStore:
    """Everything of `store`; `faults` says, by kind, what its next inserts meet; `away` fails everything."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.faults: dict[str, deque[Fault]] = {}
        self.away = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def fail(self, kind: str, *faults: Fault) -> None:
        """The next inserts of `kind` meet these."""
        self.faults.setdefault(kind, deque()).extend(faults)

    async def insert_in_order(self, groups: Sequence[tuple[str, Sequence[Document]]]) -> None:
        """As a server without transactions does it, each kind with its own faults."""
        for kind, documents in groups:
            await self.documents(kind).insert(documents)

    def documents(self, kind: str) -> Any:
        """The documents of a kind, with its faults."""
        return FaultyDocuments(self, self._store.documents(kind), self.faults.setdefault(kind, deque()))


class FaultyDocuments:
    """Everything of the real ones, but for inserts of the kind that was told to fail."""

    def __init__(self, store: FaultyStore, documents: Documents, faults: deque[Fault]) -> None:
        self._store, self._documents, self._faults = store, documents, faults

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            self._reach()
            return await getattr(self._documents, name)(*args, **kwargs)

        return call

    async def insert(self, documents: Sequence[Document]) -> list[bool]:
        """As the real one, with the next fault."""
        self._reach()
        fault = self._faults.popleft() if self._faults else Fault.NONE
        if fault is Fault.UNREACHED:
            raise StoreUnavailable("lost on the way")
        if fault is Fault.HANGS:
            await asyncio.sleep(3)
            raise StoreUnavailable("timed out")
        taken = await self._documents.insert(documents)
        if fault is Fault.REPLY_LOST:
            raise StoreUnavailable("its reply was lost")
        return taken

    def _reach(self) -> None:
        if self._store.away:
            raise StoreUnavailable("away")
