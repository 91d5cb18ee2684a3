"""Which causes were decided already: the recent ones in memory, the older ones by asking the store.

Memory is authoritative for causes younger than its floor: a cause cannot have been decided before it existed,
so if it came into being after everything memory has forgotten, memory would know of it. Where a backlog
reaches a little below the floor, memory is extended once instead of asking about every slice.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from hashlib import blake2b

from shared.store import Commit

log = logging.getLogger(__name__)

CAPACITY = 100_000
"""Causes remembered per partition, and two commits' more: 6 to 10 MB. Half of them are forgotten at once, so
that nothing need be remembered of their order."""
KEY_BYTES, UUID_LENGTH = 16, 36
SKEW_MS = 60_000
"""How far the clocks of the machines that stamp events and commits may differ."""

REACH_MS = 600_000
"""How far below the floor memory is extended; the store is asked about causes still older."""

Lookup = Callable[[Sequence[str]], Awaitable[Collection[str]]]
Earlier = Callable[[], Awaitable[Sequence[Commit]]]
"""Returns the commits just before those returned last, in order; none when there are no more."""


class Causes:
    """The decided causes of one stream. `floor_ms` is the time of the last commit that is forgotten."""

    def __init__(self, lookup: Lookup, earlier: Earlier | None = None, capacity: int = CAPACITY) -> None:
        self._lookup = lookup
        self._earlier = earlier
        self._capacity = capacity
        self._older, self._newer = _Known(), _Known()
        self._recalled: Collection[str] = ()
        self.floor_ms = 0

    def remember(self, causes: Sequence[str], at_ms: int) -> None:
        """Add the causes of a commit made at `at_ms`; commits come in order."""
        if len(self._newer.keys) >= self._capacity // 2:
            if self._older.keys:
                self.floor_ms = max(self.floor_ms, self._older.at_ms)
                self._earlier = None  # what it returns would not join what is left
            self._older, self._newer = self._newer, _Known()
        self._newer.add(causes)
        self._newer.at_ms = max(self._newer.at_ms, at_ms)

    def __contains__(self, cause: object) -> bool:
        return isinstance(cause, str) and (self._knows(cause) or cause in self._recalled)

    def _knows(self, cause: str) -> bool:
        key = key_of(cause)
        return key in self._newer.keys or key in self._older.keys

    async def recall(self, causes: Sequence[tuple[str, datetime]], now_ms: int) -> None:
        """Make `in` right for `causes`, given as (id, event time); asks the store only for the old ones."""
        if causes:
            await self._reach(round(min(time for _, time in causes).timestamp() * 1000))
        horizon = self.floor_ms + SKEW_MS
        times = ((id_, time.timestamp() * 1000) for id_, time in causes if not self._knows(id_))
        old = [id_ for id_, ms in times if ms <= horizon or ms > now_ms + SKEW_MS]  # a clock may be far ahead
        self._recalled = ()
        if old:
            log.debug("old causes are looked up", extra={"causes": len(old), "floor_ms": self.floor_ms})
            self._recalled = await self._lookup(old)

    async def _reach(self, oldest_ms: int) -> None:
        """Extend memory until causes of `oldest_ms` are above the floor, or memory is full."""
        while self._earlier and self.floor_ms - REACH_MS < oldest_ms <= self.floor_ms + SKEW_MS:
            commits = await self._earlier()
            for commit in commits:
                self._older.add(commit.causes)
            if commits:
                self._older.at_ms = max(self._older.at_ms, *(commit.at for commit in commits))
                self.floor_ms = 0 if commits[0].n == 1 else commits[0].at
            if not commits or len(self._older.keys) >= self._capacity // 2:
                self._earlier = None


class _Known:
    """Causes of successive commits, the last of them made at `at_ms`."""

    __slots__ = ("at_ms", "keys")

    def __init__(self) -> None:
        self.keys: dict[bytes, None] = {}
        """A dictionary, because it takes a third less memory than a set."""
        self.at_ms = 0

    def add(self, causes: Sequence[str]) -> None:
        """Know these, too."""
        self.keys.update(dict.fromkeys(map(key_of, causes)))


def key_of(cause: str) -> bytes:
    """Return the 16 bytes that a cause is remembered by: those of a UUID, the digest of anything else."""
    if (
        len(cause) == UUID_LENGTH
        and cause[8] == cause[13] == cause[18] == cause[23] == "-"
        and cause.islower()
    ):
        with contextlib.suppress(ValueError):
            if len(key := bytes.fromhex(cause.replace("-", ""))) == KEY_BYTES:
                return key
    return blake2b(cause.encode(), digest_size=KEY_BYTES).digest()
