"""What has been fetched and waits: one lane per input topic of a partition, emptied urgent first.

A slice is what a worker takes at once. Urgent lanes come first, but ordinary ones always get a tenth of it,
so that a flood of urgent reports cannot starve them either.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from aiokafka import TopicPartition

from shared.bus.incoming import Incoming, Stretch
from shared.bus.turnstile import Hurry

ORDINARY_SHARE = 10
"""Ordinary lanes get at least one record in this many."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Records in the order they are handled, and per partition the offset that follows the last of them."""

    records: Sequence[Incoming]
    next_offsets: dict[TopicPartition, int]


class Lane:
    """What was fetched of one topic partition. `next_offset` is the first offset not fetched yet.

    `urgent` goes before the others of its partition, `vital` makes its partition go before the others;
    `outsiders`: whether somebody outside the platform writes it.
    """

    def __init__(
        self, source: TopicPartition, *, urgent: bool = False, vital: bool = False, outsiders: bool = False
    ) -> None:
        self.source, self.urgent, self.vital, self.outsiders = source, urgent, vital, outsiders
        self.paused = False
        self.bytes = 0
        """Of all stretches not yet used up."""
        self.first_offset: int | None = None
        self.next_offset: int | None = None
        self.position: int | None = None
        """The first offset not taken yet."""
        self.closed_until = 0.0
        """Loop time before which nothing is taken, after too many dead letters; 0 when open."""
        self._queue: deque[Stretch] = deque()
        self._open: Iterator[Incoming] = iter(())
        self._taken_ms = 0

    def offer(self, stretch: Stretch) -> None:
        """Append what was fetched; offsets fetched twice, after a seek, are passed over."""
        stretch.offset = max(stretch.offset, self.next_offset or 0)
        if stretch.next_offset <= stretch.offset:
            return
        if self.first_offset is None:
            self.first_offset = stretch.offset
        if not self._queue:
            self._open, self.position = stretch.records(), stretch.offset
        self._queue.append(stretch)
        self.bytes += stretch.size
        self.next_offset = stretch.next_offset

    def take(self, limit: int) -> list[Incoming]:
        """Remove and return up to `limit` records from the head."""
        taken: list[Incoming] = []
        while self._queue and len(taken) < limit:
            taken += islice(self._open, limit - len(taken))
            if len(taken) < limit:
                self._go_on()
        if taken:
            self._taken_ms = taken[-1].timestamp or 0  # message format v0 has none
            self.position = max(self.position or 0, taken[-1].offset + 1)
        return taken

    def _go_on(self) -> None:
        """Pass to the next stretch; the one at the head is used up."""
        used = self._queue.popleft()
        self.bytes -= used.size
        self.position = used.next_offset
        if self._queue:
            self._open = self._queue[0].records()

    def open_at(self, now: float) -> bool:
        """Whether there is something to take at loop time `now`."""
        return bool(self._queue) and now >= self.closed_until

    def __len__(self) -> int:
        """How many offsets wait: records, and gaps between them."""
        return (self.next_offset or 0) - (self.position or 0)

    @property
    def oldest_ms(self) -> int | None:
        """About the Kafka timestamp of the record at the head, epoch milliseconds: it is no younger."""
        return max(self._taken_ms, self._queue[0].first_ms) if self._queue else None


class Lanes:
    """The lanes of one partition number over all input topics of a consumer.

    `room` is set whenever something is taken: who waits to bring more may look again. `calm` is the hurry
    while nothing vital waits.
    """

    def __init__(self, lanes: Iterable[Lane], room: asyncio.Event, *, calm: Hurry = Hurry.WAITED_FOR) -> None:
        self._room, self._calm = room, calm
        self._lanes = {lane.source: lane for lane in lanes}
        self._urgent = [lane for lane in self._lanes.values() if lane.urgent]
        self._vital = [lane for lane in self._lanes.values() if lane.vital]
        self._ordinary = [lane for lane in self._lanes.values() if not lane.urgent]
        self._arrived = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None
        self._owed = 0  # what is left of the ordinary tenth: small slices must add up to it, not round up

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def __getitem__(self, source: TopicPartition) -> Lane:
        return self._lanes[source]

    def offer(self, source: TopicPartition, stretches: Iterable[Stretch]) -> None:
        """Queue what was fetched and wake the worker."""
        lane = self._lanes[source]
        for stretch in stretches:
            lane.offer(stretch)
        self._arrived.set()

    def wake(self) -> None:
        """Make a waiting worker look around, though nothing arrived."""
        self._arrived.set()

    async def wait(self, seconds: float | None) -> None:
        """Return when there may be something to take or to do, after `seconds` at the latest."""
        if self._ready():
            return
        self._arrived.clear()
        if seconds is not None:
            self._ring_in(seconds)
        await self._arrived.wait()

    def _ring_in(self, seconds: float) -> None:
        """Wake up in `seconds` at the latest; the alarm stays set when something arrives first."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        if self._alarm is None or self._alarm.when() > due:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = loop.call_at(due, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._arrived.set()

    def take(self, limit: int) -> Slice:
        """Remove and return the next slice, of at most `limit` records; empty when nothing waits."""
        self._room.set()
        now = asyncio.get_running_loop().time()
        ordinary = [lane for lane in self._ordinary if lane.open_at(now)]
        share, self._owed = divmod(self._owed + limit, ORDINARY_SHARE) if ordinary else (0, 0)
        taken = _drain([lane for lane in self._urgent if lane.open_at(now)], limit - share)
        taken += _drain(ordinary, limit - sum(len(records) for _, records in taken))
        next_offsets = {lane.source: lane.position or 0 for lane, _ in taken}
        return Slice([record for _, records in taken for record in records], next_offsets)

    def hurry(self) -> Hurry:
        """How soon something has to be taken."""
        now = asyncio.get_running_loop().time()
        return Hurry.VITAL if any(lane.open_at(now) for lane in self._vital) else self._calm

    def _ready(self) -> bool:
        now = asyncio.get_running_loop().time()
        return any(lane.open_at(now) for lane in self._lanes.values())


def _drain(lanes: Sequence[Lane], limit: int) -> list[tuple[Lane, list[Incoming]]]:
    """Take up to `limit` records from `lanes`, an equal share each, and what one leaves goes to the next."""
    taken = []
    for left, lane in zip(range(len(lanes), 0, -1), sorted(lanes, key=len), strict=True):
        before, records = lane.position, lane.take(-(-limit // left))
        limit -= len(records)
        if lane.position != before:
            taken.append((lane, records))
    return taken
