"""A store whose next appends fail as told, in the two ways of a real one: before it took effect, or after."""

from collections import deque
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from shared.store import Commit, Store, StoreUnavailable


class Fault(Enum):
    """What happens to one append."""

    NONE = "it works"
    UNREACHED = "the request is lost"
    REPLY_LOST = "the commit is inserted and the reply is lost"


class FaultyStore:
    """Everything of `store`, but for the appends that were told to fail."""

    def __init__(self, store: Store, faults: Iterable[Fault] = ()) -> None:
        self._store = store
        self.faults = deque(faults)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def append(self, commits: Sequence[Commit]) -> list[bool]:
        """As the store's, with the next fault."""
        fault = self.faults.popleft() if self.faults else Fault.NONE
        if fault is Fault.UNREACHED:
            raise StoreUnavailable("lost on the way")
        taken = await self._store.append(commits)
        if fault is Fault.REPLY_LOST:
            raise StoreUnavailable("its reply was lost")
        return taken
