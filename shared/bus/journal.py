"""The owner's side of one stream of the commit log: appending to it, and having its state in memory.

Append is the decision, publishing its events is the outbox, folding them is the state. Whoever else appends
to the same stream (a zombie, or ourselves with a reply that was lost) is found by the unique commit number:
then everything is loaded again, and the log is right.
"""

import asyncio
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic

from shared.bus.causes import Causes
from shared.bus.commits import Emitted, decode_body, encode_body
from shared.bus.decider import Decider, S
from shared.bus.fold import Fold, packed
from shared.bus.resting import GONE, Resting, fits
from shared.contracts.kafka import Record
from shared.store import Commit, GroupCommit, Head, Store, StoreUnavailable

SNAPSHOT_EVERY = 200
"""Commits between snapshots, at least. Where states are large there are more: as many bytes are appended as
the last snapshot took. So what is held makes no commit dearer, and a start reads twice as much at most."""
WAKE_SECONDS = 60.0
"""A key that woke is saved after so long at the latest: its rest in the store is kept for a time only."""
OVERLAP = 100
"""Commits below the snapshot that are read at start-up all the same: a redo needs to know their causes."""
PAGE = 100
RETENTION_MS = 7 * 24 * 3600 * 1000
"""How long commits below a snapshot are kept: the horizon within which a repeated cause is recognised."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed between two snapshots, as it is after commit `n`.

    `states` by key, None for an empty one; which of these go to `rest`; and by which commit those `rested`
    before that rest now or are empty.
    """

    n: int
    states: Mapping[str, bytes | None]
    rest: Collection[str] = ()
    rested: Mapping[str, int] = field(default_factory=dict)


class Journal(Generic[S]):
    """One stream, loaded. `n` is the last commit, `published_n` the last whose events are acknowledged."""

    def __init__(self, store: Store, appends: GroupCommit[Commit], stream: str, decider: Decider[S]) -> None:
        self._store, self._appends, self.stream, self._decider = store, appends, stream, decider
        self._resting = Resting(store, stream, decider.rest)
        self._clear(Head(stream))

    def _clear(self, head: Head) -> None:
        self.fold: Fold[S] = Fold(self._decider)
        self.causes = Causes(lambda ids: self._store.known_causes(self.stream, ids), self._earlier)
        self._first = 1
        self.n, self.published_n, self._snapshot_n = 0, head.published_n, head.snapshot_n
        self._loaded_n = head.snapshot_n
        """What the snapshots that were loaded cover; a save that still runs may move `_snapshot_n` on."""
        self._appended, self._snapshot_bytes = 0, 0
        self._saved = head
        self._woke_at: float | None = None
        self._taken: Changes | None = None
        self._leaving: list[str] = []
        """Keys that rest or are empty, and may go from memory as soon as nobody decides on them."""
        self._emptied: deque[tuple[int, list[str]]] = deque()
        """Keys whose last snapshot is the empty state, by its commit: written out, because to a tail that
        reaches below it a key without a snapshot would look as if it had never been anything else."""

    async def load(self) -> list[Record]:
        """Build everything anew from the store; return, in order, what may not have gone out yet.

        Raises StoreUnavailable.
        """
        head = await self._store.head(self.stream)
        start = max(0, min(head.snapshot_n - OVERLAP, head.published_n))
        snapshots, commits = await asyncio.gather(self._store.snapshots(self.stream), self._tail(start))
        if commits and commits[0].n > head.snapshot_n + 1:
            raise StoreUnavailable(f"{self.stream} was purged while it was read")
        self._clear(head)
        for snapshot in snapshots:
            self.fold.restore(snapshot)
            self._snapshot_bytes += len(snapshot.state)
            await asyncio.sleep(0)  # whoever owns other partitions goes on meanwhile
        self._emptied.extend(sorted((s.n, [s.key]) for s in snapshots if self.fold.is_empty(s.key)))
        if start and commits:
            self.causes.floor_ms, self._first = commits[0].at, commits[0].n
        records: list[Record] = []
        for commit in commits:
            records += await self._replay(commit)
            await asyncio.sleep(0)  # as above
        return records

    async def wake(self, keys: Iterable[str], at_ms: int) -> None:
        """Have in memory those of `keys` that rest at `at_ms`. Raises StoreUnavailable."""
        for snapshot in await self._resting.find({key for key in keys if key not in self.fold}, at_ms):
            self.fold.wake(snapshot)
            self._woke_at = self._woke_at or time.monotonic()

    def let_go(self) -> None:
        """Let keys that rest or are empty go from memory. Not while somebody decides: what is known stays."""
        for key in self._leaving:
            self.fold.let_go(key)
        self._leaving = []

    async def _earlier(self) -> Sequence[Commit]:
        """Return the page of commits before the first one whose causes are in memory."""
        after = max(0, self._first - 1 - PAGE)
        page = await self._store.tail(self.stream, after, self._first - 1 - after) if self._first > 1 else []
        commits = [commit for commit in page if commit.n < self._first]
        self._first = commits[0].n if commits else self._first
        return commits

    async def _tail(self, after: int) -> Sequence[Commit]:
        commits: list[Commit] = []
        while page := await self._store.tail(self.stream, commits[-1].n if commits else after, PAGE):
            commits += page  # a page that is not full need not be the last one: somebody may be purging
        return commits

    async def _replay(self, commit: Commit) -> list[Record]:
        self.n = commit.n
        self.causes.remember(commit.causes, commit.at)
        records: list[Record] = []
        if commit.n <= min(self._loaded_n, self.published_n):
            return records  # in the snapshots, and out: only its causes were wanted
        self._appended += len(commit.body)
        decisions = list(decode_body(commit.body))
        await self.wake((decided.key for decided in decisions), commit.at)
        for decided in decisions:
            if commit.n > self.fold[decided.key].snapshot_n:
                self.fold.apply(decided)
            records += (a.record for a in decided.answers if isinstance(a, Emitted))
        return records if commit.n > self.published_n else []

    async def append(self, causes: Sequence[str], parts: Sequence[bytes], at_ms: int) -> bool:
        """Make `parts` (encoded, and folded already) the next commit; False when that number is taken.

        Raises StoreUnavailable when the outcome is not known. After either, `load` tells the truth.
        """
        commit = Commit(self.stream, self.n + 1, at_ms, tuple(causes), encode_body(parts))
        if not await self._appends.write(commit):
            return False
        self.n += 1
        self._appended += len(commit.body)
        self.causes.remember(causes, at_ms)
        return True

    async def overtaken(self) -> bool:
        """Whether somebody else has appended since. Raises StoreUnavailable."""
        return await self._store.commit(self.stream, self.n + 1) is not None

    @property
    def snapshot_due(self) -> bool:
        """Whether enough was appended since the last snapshot, or something that woke must be saved anew."""
        if self._woke_at is not None and time.monotonic() - self._woke_at >= WAKE_SECONDS:
            return True
        return self.n - self._snapshot_n >= SNAPSHOT_EVERY and self._appended >= self._snapshot_bytes

    def take_snapshot(self) -> Changes:
        """Return the keys that changed since the last snapshot, as they are now.

        Everything folded must be appended. The result has to reach `save_snapshot`, however often that must
        be tried: nothing else remembers these changes.
        """
        changes, self._appended = self.fold.take_changes(), 0
        emptied = [key for key, state in changes.items() if state is None]
        if emptied:
            self._emptied.append((self.n, emptied))
        rest = tuple(key for key, state in changes.items() if state and fits(state) and self.fold.rests(key))
        rested = {key: at for key in (*rest, *emptied) if (at := self.fold[key].rested_n)}
        for key in (*rest, *emptied):
            self.fold[key].rested_n = self.n if changes[key] else 0
        self._taken, self._woke_at = Changes(self.n, changes, rest, rested), None
        return self._taken

    async def save_snapshot(self, changes: Changes, at_ms: int) -> None:
        """Store `changes` at `at_ms`, then purge commits that nobody needs any more.

        What goes to rest is there before it is here no longer, and only a newer rest, or the news that the
        key is empty, takes the place of an older one.
        """
        n, states = changes.n, changes.states
        known = {key: self.fold.empty if state is None else state for key, state in states.items()}
        written = await asyncio.to_thread(lambda: {key: packed(state) for key, state in known.items()})
        self._snapshot_bytes = sum(map(len, written.values()))
        emptied = [key for key, state in states.items() if state is None]
        unsure = [key for key in emptied if key not in changes.rested]  # a crash may have left a rest behind
        rested = {s.key: s.n for s in await self._resting.find(unsure, at_ms) if s.state != GONE}
        rested |= changes.rested
        over = [key for key in emptied if key in rested]
        resting = {key: written[key] for key in changes.rest}
        await self._resting.save(n, resting | dict.fromkeys(over, GONE), at_ms)
        await self._store.save_snapshots(self.stream, n, {**written, **dict.fromkeys(changes.rest)})
        await self._resting.forget({key: at for key, at in rested.items() if at < n})
        if changes is self._taken:  # and nothing has been loaded since
            self._leaving += [*changes.rest, *emptied]
        self._snapshot_n = n
        await self.save_head()
        await self._store.purge(self.stream, min(n - OVERLAP, self.published_n), at_ms - RETENTION_MS)
        await self._drop_emptied(self._emptied)

    async def _drop_emptied(self, emptied: deque[tuple[int, list[str]]]) -> None:
        """Forget empty keys of which no commit is left in the log."""
        while emptied and await self._store.commit(self.stream, emptied[0][0]) is None:
            n, keys = emptied[0]
            await self._store.save_snapshots(self.stream, n, dict.fromkeys(keys))
            emptied.popleft()

    async def save_head(self) -> None:
        """Store how far the events are out and the snapshot reaches, if that has changed."""
        head = Head(self.stream, self._snapshot_n, self.published_n)
        if head != self._saved:
            await self._store.save_head(head)
            self._saved = head
