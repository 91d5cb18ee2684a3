"""Which causes were decided already: the recent ones in memory, the older ones by asking the store.

Memory is authoritative for causes younger than its floor: a cause cannot have been decided before it existed,
so if it came into being after everything memory has forgotten, memory would know of it. Where a backlog
reaches a little below the floor, memory is extended once instead of asking about every slice.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime

from shared.store import Commit

log = logging.getLogger(__name__)

CAPACITY = 100_000
"""Causes remembered per partition: about 20 MB where a commit has three of them."""
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
        self._commits: deque[tuple[tuple[str, ...], int]] = deque()
        self._known: set[str] = set()
        self._recalled: Collection[str] = ()
        self.floor_ms = 0

    def remember(self, causes: Sequence[str], at_ms: int) -> None:
        """Add the causes of a commit made at `at_ms`; commits come in order."""
        self._commits.append((tuple(causes), at_ms))
        self._known.update(causes)
        while len(self._known) > self._capacity:
            forgotten, at_ms = self._commits.popleft()
            self._known.difference_update(forgotten)
            self.floor_ms = max(self.floor_ms, at_ms)
            self._earlier = None  # what it returns would not join what is left

    def __contains__(self, cause: object) -> bool:
        return cause in self._known or cause in self._recalled

    async def recall(self, causes: Sequence[tuple[str, datetime]], now_ms: int) -> None:
        """Make `in` right for `causes`, given as (id, event time); asks the store only for the old ones."""
        if causes:
            await self._reach(round(min(time for _, time in causes).timestamp() * 1000))
        horizon = self.floor_ms + SKEW_MS
        times = ((id_, time.timestamp() * 1000) for id_, time in causes if id_ not in self._known)
        old = [id_ for id_, ms in times if ms <= horizon or ms > now_ms + SKEW_MS]  # a clock may be far ahead
        self._recalled = ()
        if old:
            log.debug("old causes are looked up", extra={"causes": len(old), "floor_ms": self.floor_ms})
            self._recalled = await self._lookup(old)

    async def _reach(self, oldest_ms: int) -> None:
        """Extend memory until causes of `oldest_ms` are above the floor, or memory is full."""
        while self._earlier and self.floor_ms - REACH_MS < oldest_ms <= self.floor_ms + SKEW_MS:
            commits = await self._earlier()
            for commit in reversed(commits):
                self._commits.appendleft((commit.causes, commit.at))
                self._known.update(commit.causes)
            if commits:
                self.floor_ms = 0 if commits[0].n == 1 else commits[0].at
            if not commits or len(self._known) >= self._capacity:
                self._earlier = None
