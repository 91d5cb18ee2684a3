"""What has been fetched and waits: one lane per input topic of a partition, emptied urgent first.

A slice is what a worker takes at once. Urgent lanes come first, but ordinary ones always get a tenth of it,
so that a flood of urgent reports cannot starve them either.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition

from shared.bus.incoming import Incoming

ORDINARY_SHARE = 10
"""Ordinary lanes get at least one record in this many."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Records in the order they are handled, and per partition the offset that follows the last of them."""

    records: Sequence[Incoming]
    next_offsets: dict[TopicPartition, int]


class Lane:
    """The fetched records of one topic partition. `next_offset` is the first offset not fetched yet."""

    def __init__(self, source: TopicPartition, *, urgent: bool = False, outsiders: bool = False) -> None:
        self.source = source
        self.urgent = urgent
        self.outsiders = outsiders
        """Whether somebody outside the platform writes it."""
        self.paused = False
        self.bytes = 0
        self.next_offset: int | None = None
        self.closed_until = 0.0
        """Loop time before which nothing is taken, after too many dead letters; 0 when open."""
        self._queue: deque[Incoming] = deque()

    def offer(self, records: Sequence[Incoming]) -> None:
        """Append fetched records; those fetched twice, after a seek, are dropped."""
        expected = self.next_offset or 0
        fresh = records
        if records[0].offset < expected:
            fresh = [r for r in records if r.offset >= expected]
        self._queue.extend(fresh)
        self.bytes += _bytes(fresh)
        self.next_offset = max(expected, records[-1].offset + 1)

    def take(self, limit: int) -> list[Incoming]:
        """Remove and return up to `limit` records from the head."""
        queue = self._queue
        if limit >= len(queue):
            records = list(queue)
            queue.clear()
        else:
            records = [queue.popleft() for _ in range(limit)]
        self.bytes -= _bytes(records)
        return records

    def open_at(self, now: float) -> bool:
        """Whether there is something to take at loop time `now`."""
        return bool(self._queue) and now >= self.closed_until

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def oldest_ms(self) -> int | None:
        """The Kafka timestamp of the record at the head, epoch milliseconds."""
        return self._queue[0].timestamp if self._queue else None


class Lanes:
    """The lanes of one partition number over all input topics of a consumer.

    `room` is set whenever something is taken: who waits to bring more may look again.
    """

    def __init__(self, lanes: Iterable[Lane], room: asyncio.Event) -> None:
        self._room = room
        self._lanes = {lane.source: lane for lane in lanes}
        self._urgent = [lane for lane in self._lanes.values() if lane.urgent]
        self._ordinary = [lane for lane in self._lanes.values() if not lane.urgent]
        self._arrived = asyncio.Event()
        self._owed = 0  # what is left of the ordinary tenth: small slices must add up to it, not round up

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def __getitem__(self, source: TopicPartition) -> Lane:
        return self._lanes[source]

    def offer(self, source: TopicPartition, records: Sequence[Incoming]) -> None:
        """Queue fetched records and wake the worker."""
        self._lanes[source].offer(records)
        self._arrived.set()

    def wake(self) -> None:
        """Make a waiting worker look around, though nothing arrived."""
        self._arrived.set()

    async def wait(self, seconds: float | None) -> None:
        """Return when there may be something to take, or after `seconds`."""
        if self._ready():
            return
        self._arrived.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return

    def take(self, limit: int) -> Slice:
        """Remove and return the next slice, of at most `limit` records; empty when nothing waits."""
        self._room.set()
        now = asyncio.get_running_loop().time()
        ordinary = [lane for lane in self._ordinary if lane.open_at(now)]
        share, self._owed = divmod(self._owed + limit, ORDINARY_SHARE) if ordinary else (0, 0)
        taken = _drain([lane for lane in self._urgent if lane.open_at(now)], limit - share)
        taken += _drain(ordinary, limit - sum(map(len, taken)))
        next_offsets = {TopicPartition(r[-1].topic, r[-1].partition): r[-1].offset + 1 for r in taken}
        return Slice([record for records in taken for record in records], next_offsets)

    def _ready(self) -> bool:
        now = asyncio.get_running_loop().time()
        return any(lane.open_at(now) for lane in self._lanes.values())


def _bytes(records: Sequence[Incoming]) -> int:
    return sum([len(r.value) for r in records if r.value])


def _drain(lanes: Sequence[Lane], limit: int) -> list[list[Incoming]]:
    """Take up to `limit` records from `lanes`, an equal share each, and what one leaves goes to the next."""
    taken = []
    for left, lane in zip(range(len(lanes), 0, -1), sorted(lanes, key=len), strict=True):
        records = lane.take(-(-limit // left))
        limit -= len(records)
        if records:
            taken.append(records)
    return taken
