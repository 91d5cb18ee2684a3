"""What has been fetched and waits: one lane per input topic of a partition, emptied urgent first.

A slice is what a worker takes at once. Urgent lanes come first, but ordinary ones always get a tenth of it,
so that a flood of urgent reports cannot starve them either.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from aiokafka import TopicPartition

from shared.bus.incoming import Incoming, Stretch, Unpacked
from shared.bus.turnstile import LATE_MS, Claim, Hurry

ORDINARY_SHARE = 10
"""Ordinary lanes get at least one record in this many."""
LATEST_MS = 10 * LATE_MS
"""Nobody is later than that: a backlog of hours takes turns with one of seconds."""
SILENT_SECONDS = 10.0
"""What the broker has told nothing of for so long is not waited for: its leader may be away for good."""
LOOK_SECONDS = 0.2
"""A look counts for no longer: while nobody looked, nobody knows whether the broker told anything."""
OVERTAKE_FROM = 50
"""Where fewer records wait, none is let ahead: it would gain nothing."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Records in the order they are handled, and per partition the offset that follows the last of them."""

    records: Sequence[Incoming]
    next_offsets: dict[TopicPartition, int]


class Lane:
    """What was fetched of one topic partition. `next_offset` is the first offset not fetched yet.

    `urgent` goes before the others of its partition, `hurry` says when its partition goes before the others.
    `begins`: what it has only starts something, and is never late; `outsiders`: whether somebody outside the
    platform writes it.

    A record that has the bytes `overtaking` in its body goes ahead of those that wait, together with all that
    wait of its key, so that the order of a key stays what it is. Its offset still counts only when everything
    before it was taken, so after a restart or a rebalance it may come again, to a reader that knows repeats.
    """

    def __init__(
        self,
        source: TopicPartition,
        *,
        urgent: bool = False,
        hurry: Hurry = Hurry.WAITED_FOR,
        begins: bool = False,
        overtaking: bytes | None = None,
        outsiders: bool = False,
    ) -> None:
        self.source, self.urgent, self.outsiders = source, urgent, outsiders
        self._hurry, self._begins, self.overtaking = hurry, begins, overtaking
        self.paused = False
        self._asked_ms = self._answered_ms = time.time() * 1000
        """About when the broker was asked what there is, and when its answer came."""
        self._looked, self._silent = time.monotonic(), 0.0
        """When it was looked for answers last, and for how many seconds there has been none."""
        self._fetched_ms = 0.0
        """What was written before then has been fetched."""
        self.bytes = 0
        """Of all stretches not yet used up."""
        self.first_offset: int | None = None
        self.next_offset: int | None = None
        self.position: int | None = None
        """The first offset not taken yet."""
        self.closed_until = 0.0
        """Loop time before which nothing is taken, after too many dead letters; 0 when open."""
        self._ahead: deque[Incoming] = deque()
        self._overtook: set[int] = set()
        """Offsets of those that went ahead and are not come to yet."""
        self._queue: deque[Stretch] = deque()
        self._open: Iterator[Incoming] = iter(())
        self._taken_ms = self._last_ms = 0
        """Kafka timestamps of the last record taken: of the stretch at the head, and of any."""
        self._new = 0
        """Stretches offered since it was last asked who may overtake."""

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
        self._new += 1

    def overtake(self) -> None:
        """Let the marked records of what was offered last go ahead, and before each what waits of its key."""
        mark, new, self._new = self.overtaking, min(self._new, len(self._queue)), 0
        if mark is None or not new or len(self) <= OVERTAKE_FROM:
            return
        stretches = list(enumerate(self._queue))
        marked = [place for place, stretch in stretches[-new:] if stretch.may_hold([mark])]
        rows = [record for place in marked for record in self._unpacked(place)]
        last = {record.key: record.offset for record in rows if mark in (record.value or b"")}
        keys = [key or b"" for key in last]
        for place, waiting in stretches if last else ():
            if waiting.may_hold(keys):
                self._let_ahead(self._unpacked(place), last)

    def _let_ahead(self, waiting: Sequence[Incoming], last: Mapping[bytes | None, int]) -> None:
        for record in waiting:
            untaken = record.offset >= (self.position or 0) and record.offset not in self._overtook
            if untaken and record.offset <= last.get(record.key, -1):
                self._ahead.append(record)
                self._overtook.add(record.offset)

    def _unpacked(self, place: int) -> Sequence[Incoming]:
        """Unpack the stretch at `place` of the queue, if it is not, and return its records."""
        stretch = self._queue[place]
        if not isinstance(stretch, Unpacked):
            records = list(stretch.records() if place else self._open)
            stretch = Unpacked(records, stretch.next_offset, stretch.size, stretch.first_ms)
            self._queue[place] = stretch
            if not place:
                self._open = iter(records)
        return stretch.rows

    def take(self, limit: int) -> list[Incoming]:
        """Remove and return up to `limit` records: those that overtook, then from the head."""
        taken = [self._ahead.popleft() for _ in range(min(limit, len(self._ahead)))]
        while self._queue and len(taken) < limit:
            wanted = limit - len(taken)
            some = list(islice(self._open, wanted))
            if some:
                self._taken_ms = self._last_ms = some[-1].timestamp or 0  # message format v0 has none
                self.position = max(self.position or 0, some[-1].offset + 1)
            taken += self._behind(some) if self._overtook else some
            if len(some) < wanted or self.position == self._queue[0].next_offset:
                self._go_on()
        return taken

    def _behind(self, records: Sequence[Incoming]) -> Iterator[Incoming]:
        """Yield those that have not gone ahead, and forget those that have."""
        for record in records:
            if record.offset in self._overtook:
                self._overtook.discard(record.offset)
            else:
                yield record

    def _go_on(self) -> None:
        """Pass to the next stretch; the one at the head is used up."""
        used = self._queue.popleft()
        self.bytes -= used.size
        self.position, self._taken_ms = used.next_offset, 0  # another writer's clock may go differently
        if self._queue:
            self._open = self._queue[0].records()

    def claim(self, now_ms: float) -> Claim:
        """How soon it has to be taken from at `now_ms` of the epoch."""
        if self._ahead:
            return Claim(Hurry.VITAL)
        since = self.oldest_ms or 0
        may_be_late = self._hurry is Hurry.WAITED_FOR and not self._begins and not self.outsiders
        if may_be_late and since < now_ms - LATE_MS:
            return Claim(Hurry.LATE, max(since, now_ms - LATEST_MS))
        return Claim(self._hurry)

    def look(self, answered_ms: float | None) -> None:
        """Note that it is looked for answers of the broker: the last one, if there was any, was read then."""
        before, self._looked = self._looked, time.monotonic()
        if answered_ms is not None and answered_ms != self._answered_ms:
            self._asked_ms, self._answered_ms = self._answered_ms, answered_ms
            self._silent = 0.0
        elif self.paused or self._queue:  # nothing is asked for, or there is enough to take
            self._silent = 0.0
        else:
            self._silent += min(self._looked - before, LOOK_SECONDS)

    def hear(self, position: int, end: int) -> None:
        """Note how far the consumer is, and which `end` the answer had that was looked at last.

        It was asked for after the answer before was read. It may have come long before it was read itself,
        so it tells only of what was written before it was asked for.
        """
        if position >= end:
            self._fetched_ms = self._asked_ms

    def known_ms(self, now_ms: float) -> float:
        """Return until when, in epoch milliseconds, all that was written has been taken."""
        if self.oldest_ms is not None:
            return self.oldest_ms
        if self._silent > SILENT_SECONDS:
            return now_ms
        return max(self._fetched_ms, self._last_ms)

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

    `room` is set whenever something is taken: who waits to bring more may look again.
    """

    def __init__(self, lanes: Iterable[Lane], room: asyncio.Event) -> None:
        self._room = room
        self._lanes = {lane.source: lane for lane in lanes}
        self.urgent = [lane for lane in self._lanes.values() if lane.urgent]
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
        lane.overtake()
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

    def take(self, limit: int, *, begin: bool = True) -> Slice:
        """Remove and return the next slice, of at most `limit` records; empty when nothing waits.

        Unless it may `begin` something, ordinary lanes get no more than their tenth.
        """
        self._room.set()
        now = asyncio.get_running_loop().time()
        ordinary = [lane for lane in self._ordinary if lane.open_at(now)]
        share, self._owed = divmod(self._owed + limit, ORDINARY_SHARE) if ordinary else (0, 0)
        taken = _drain([lane for lane in self.urgent if lane.open_at(now)], limit - share)
        left = limit - sum(len(records) for _, records in taken)
        taken += _drain(ordinary, left if begin or not taken else min(left, share))
        next_offsets = {lane.source: lane.position or 0 for lane, _ in taken}
        return Slice([record for _, records in taken for record in records], next_offsets)

    def claim(self) -> Claim:
        """What has to be taken first; duties, where nothing waits."""
        now, now_ms = asyncio.get_running_loop().time(), time.time() * 1000
        claims = [lane.claim(now_ms) for lane in self._lanes.values() if lane.open_at(now)]
        return min(claims, default=Claim(Hurry.WAITED_FOR))

    def unknown_seconds(self) -> float:
        """Return for how long it is not known what was said on urgent inputs; 0 where there are none."""
        now, now_ms = asyncio.get_running_loop().time(), time.time() * 1000
        known = [lane.known_ms(now_ms) for lane in self.urgent if now >= lane.closed_until]
        return max(0.0, now_ms - min(known, default=now_ms)) / 1000

    def _ready(self) -> bool:
        now = asyncio.get_running_loop().time()
        return any(lane.open_at(now) for lane in self._lanes.values())


def _drain(lanes: Sequence[Lane], limit: int) -> list[tuple[Lane, list[Incoming]]]:
    """Take up to `limit` records from `lanes`, an equal share each, and what one leaves goes to the next."""
    taken = []
    for left, lane in zip(range(len(lanes), 0, -1), sorted(lanes, key=len), strict=True):
        before, records = lane.position, lane.take(-(-limit // left))
        limit -= len(records)
        if records or lane.position != before:
            taken.append((lane, records))
    return taken
