"""Keys that wait behind a poisoned record: their later records queue in order until somebody replays it."""

from shared.bus.dead_letters import PREFIX
from shared.bus.incoming import Fetched, Incoming
from shared.contracts.topics import replay_of
from shared.store import Parked, Store
from shared.telemetry.reasons import Reason

PAGE = 500
Place = tuple[str, int, int]


class Parking:
    """The parked keys of one partition of a group. Without a store nothing is ever parked."""

    def __init__(self, store: Store | None, group: str, partition: int) -> None:
        self._store = store
        self._lane = f"{group}/{partition}"
        self.replays = replay_of(group)
        """The topic on which an operator sends records to this group again."""
        self._keys: dict[bytes, Place | None] = {}
        """The closed keys, with the record that closed each if that was seen by this process."""
        self._reopened: bytes | None = None
        """The key whose records are being released: in the store still, and closed no more."""

    async def load(self) -> None:
        """Learn which keys are parked. Raises StoreUnavailable."""
        if self._store:
            keys = await self._store.parked_keys(self._lane)
            self._keys = dict.fromkeys(key for key in keys if key != self._reopened)

    @property
    def closed(self) -> bool:
        """Whether any key is parked at all."""
        return bool(self._keys)

    def holds(self, record: Incoming | None) -> bool:
        """Whether `record` has to wait behind an earlier one of its key."""
        if record is None or record.key not in self._keys or self.is_replay(record):
            return False
        return self._keys[record.key] != _place(record)

    def is_replay(self, record: Incoming) -> bool:
        """Whether an operator sent `record` to this group again."""
        return record.topic == self.replays

    def park(self, record: Incoming, reason: Reason) -> list[Parked]:
        """Close the key of `record` and return what to store; nothing where it cannot be parked."""
        if self._store is None or record.key is None or self.is_replay(record):
            return []
        self._keys.setdefault(record.key, _place(record))
        return [_parked(self._lane, record, reason)]

    async def save(self, parked: list[Parked]) -> None:
        """Store what `park` returned; repeating it is harmless. Raises StoreUnavailable."""
        if self._store and parked:
            await self._store.park(parked)

    async def reopen(self, replay: Incoming) -> list[Parked]:
        """Open the key of `replay` and return what waited behind it, in order, at most one page.

        Call `released` when that is processed. Raises StoreUnavailable.
        """
        if self._store is None or replay.key not in self._keys:
            return []
        waiting = await self._store.parked(self._lane, replay.key, PAGE)
        self._keys.pop(replay.key)
        self._reopened = replay.key
        return waiting

    async def release(self, parked: list[Parked]) -> None:
        """Forget what was processed. Raises StoreUnavailable."""
        if self._store and parked:
            await self._store.release(parked)

    def released(self, key: bytes, *, more: bool) -> None:
        """Note that a page of `key` is processed; it closes again when there may be `more` behind it."""
        self._reopened = None
        if more:
            self._keys[key] = None


def replaces(replay: Incoming, parked: Parked) -> bool:
    """Whether `replay` is the repaired form of exactly this parked record."""
    found = {name: value for name, value in replay.headers if name.startswith(PREFIX)}
    names = {"topic": parked.topic, "partition": str(parked.partition), "offset": str(parked.offset)}
    return all(found.get(PREFIX + name) == text.encode() for name, text in names.items())


def record_of(parked: Parked) -> Incoming:
    """Return the record as it was consumed."""
    return Fetched(
        parked.topic,
        parked.partition,
        parked.offset,
        parked.timestamp,
        parked.key,
        parked.value,
        [(name.encode("latin-1").decode("utf-8", "surrogateescape"), raw) for name, raw in parked.headers],
    )


def _parked(lane: str, record: Incoming, reason: Reason) -> Parked:
    # Header names travel as Latin-1, which maps every byte: not every store takes what is not UTF-8.
    assert record.key is not None
    return Parked(
        lane, record.topic, record.partition, record.offset, record.key, record.value,
        tuple((n.encode("utf-8", "surrogateescape").decode("latin-1"), raw) for n, raw in record.headers),
        record.timestamp, reason.value,
    )  # fmt: skip


def _place(record: Incoming) -> Place:
    return record.topic, record.partition, record.offset
