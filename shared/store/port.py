"""The store port: what every adapter owes its caller, and the two ways in which it may fail."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from shared.store.documents import Document, Documents
from shared.store.records import Commit, Head, Parked, Snapshot


class StoreError(Exception):
    """The store refused for a reason that a retry does not heal."""


class StoreUnavailable(StoreError):  # noqa: N818 - the condition is the name
    """Network, time-out, restarting server, locked or full disk: retry.

    Whether a write took effect is unknown. Every write below may be repeated as it is.
    """


class Store(Protocol):
    """A commit log per stream with snapshots beside it, and a parking place for messages.

    Every method but `start`, `close` and `ping` needs a started store. Every method may raise
    StoreUnavailable within a bounded time and works again, on the same object, once the cause is gone. What
    returned is durable. Reads see everything that was acknowledged before they began, to anybody. Several
    processes may share a store; a stream has one owner at a time, and a former owner that is frozen and wakes
    up can do no harm as long as `purge` leaves commits for longer than anybody stays frozen.
    """

    async def start(self) -> None:
        """Connect, create what is missing, and assert that writes are durable (StoreError when not).

        May be called again after StoreUnavailable.
        """

    async def close(self) -> None:
        """Let go of connections and files. Idempotent."""

    async def ping(self) -> None:
        """Return when the store accepts writes, else raise StoreUnavailable."""

    async def append(self, commits: Sequence[Commit]) -> list[bool]:
        """Insert each commit whose (stream, n) is free, in one round trip; the insert is the decision.

        Answers in the order given. True: durable, and ours. False: that place is taken, by somebody else or
        by an earlier attempt of our own whose answer was lost; reload with `tail`. The winner may take a
        moment to be readable, so go on reloading until it is. Each commit is atomic, there is no order
        between them.
        The caller appends n + 1 only when n is known to exist; that keeps the log without gaps.
        """

    async def tail(self, stream: str, after: int, limit: int = 100) -> list[Commit]:
        """The commits with n > `after` in order of n, at most `limit`; none where the log ends.

        Only what was purged may be missing, at the front, and from a page that is read meanwhile.
        """

    async def commit(self, stream: str, n: int) -> Commit | None:
        """One commit by its identity: cheap enough to ask every second whether somebody wrote n + 1."""

    async def known_causes(self, stream: str, causes: Sequence[str]) -> set[str]:
        """Those of `causes` that some commit of the stream, not yet purged, has decided."""

    async def purge(self, stream: str, up_to: int, before: int) -> int:
        """Delete from the front of the log the commits with n <= `up_to` and at < `before` (epoch ms).

        Stops at the first that is to stay. `up_to` is what snapshots cover. Returns how many went.
        """

    async def head(self, stream: str) -> Head:
        """The last saved head, zeros if there is none."""

    async def save_head(self, head: Head) -> None:
        """Replace the head of its stream."""

    async def snapshots(self, stream: str) -> list[Snapshot]:
        """The current snapshot of every key that has state, in no order."""

    async def save_snapshots(self, stream: str, n: int, states: Mapping[str, bytes | None]) -> None:
        """Save states as they are after commit `n`; None says that the key has lost its state by then.

        Each key is atomic. A key saved after a later commit stays as it is. Raises ValueError on a state
        larger than MAX_STATE_BYTES.
        """

    async def park(self, parked: Sequence[Parked]) -> None:
        """Set messages aside; those already parked stay as they are."""

    async def parked_keys(self, lane: str) -> set[bytes]:
        """The keys behind which something is parked."""

    async def parked(self, lane: str, key: bytes, limit: int = 100) -> list[Parked]:
        """The first messages parked behind a key, by topic, then offset."""

    async def release(self, parked: Sequence[Parked]) -> None:
        """Forget parked messages, whether they are there or not."""

    async def insert_in_order(self, groups: Sequence[tuple[str, Sequence[Document]]]) -> None:
        """Insert documents of several kinds, each where its identity is free, kind after kind.

        Whenever something of a kind is there, all of the kinds before it is.
        """

    def documents(self, kind: str) -> Documents:
        """Return the documents of a kind (lower-case letters and underscores), also before the start."""
