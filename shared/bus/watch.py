"""Looks at each owned partition from outside: how far behind it is, and whether it still moves.

A consumer that is stuck looks like one with nothing to read (aiokafka #1154, #847): the broker's own end
offsets tell them apart, where a ping would not.
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from shared.bus.lanes import Lane
from shared.bus.worker import Worker
from shared.clock import Clock
from shared.telemetry import Metrics

REQUEST_SECONDS = 5.0
POSITION_SECONDS = 1.0


class ConsumerStuckError(Exception):
    """There is something to read, we ask for it, and it does not come."""


class Watch:
    """The last position seen of each partition, and since when it has not moved though it should."""

    def __init__(self, group: str, metrics: Metrics, clock: Clock, stuck_seconds: float) -> None:
        self._group, self._metrics, self._clock, self._stuck = group, metrics, clock, stuck_seconds
        self._still: dict[TopicPartition, tuple[int, float]] = {}
        self._held: dict[TopicPartition, tuple[int, float]] = {}
        """The last offset seen processed, and since when it has not moved though something was taken."""

    async def look(self, consumer: AIOKafkaConsumer, workers: Iterable[Worker]) -> None:
        """Measure timers, lag and ages. Raises ConsumerStuckError, or what `is_unreachable` knows."""
        workers = list(workers)
        self._show_timers(workers)
        owned = {lane.source: (worker, lane) for worker in workers for lane in worker.lanes}
        if not owned:
            return
        async with asyncio.timeout(REQUEST_SECONDS):
            ends = await consumer.end_offsets(list(owned))
        ages: dict[str, float] = {}
        for source, (worker, lane) in owned.items():
            position = await self._position(consumer, lane)
            behind = max(0, ends[source] - position) + _in_hand(worker, lane)
            self._metrics.lag.labels(self._group, source.topic, source.partition).set(behind)
            since = self._since(lane, position, ends[source])
            held = self._held_for(worker, lane)
            age = max(self._age(lane, since), held) if behind > 0 else 0.0
            ages[source.topic] = max(age, ages.get(source.topic, 0.0))
        for topic, age in ages.items():
            self._metrics.oldest_unprocessed_age_seconds.labels(self._group, topic).set(age)

    def forget(self, sources: Iterable[TopicPartition]) -> None:
        """Drop the gauges of partitions that are not ours any more."""
        for source in sources:
            self._still.pop(source, None)
            self._held.pop(source, None)
            with suppress(KeyError):
                self._metrics.lag.remove(self._group, source.topic, source.partition)
            with suppress(KeyError):
                self._metrics.oldest_unprocessed_age_seconds.remove(self._group, source.topic)

    def _show_timers(self, workers: Iterable[Worker]) -> None:
        found = [worker.processor.timers() for worker in workers]
        self._metrics.timers_pending.labels(self._group).set(sum(waiting for waiting, _ in found))
        late = max((late for _, late in found), default=0.0)
        self._metrics.timers_overdue_seconds.labels(self._group).set(late)

    async def _position(self, consumer: AIOKafkaConsumer, lane: Lane) -> int:
        """Return the next offset to fetch; it passes over what is no record, such as transaction markers."""
        try:
            async with asyncio.timeout(POSITION_SECONDS):
                return int(await consumer.position(lane.source))
        except (TimeoutError, IllegalStateError):  # not known yet, or not ours any more
            return lane.next_offset or 0

    def _since(self, lane: Lane, position: int, end: int) -> float:
        """Return the monotonic time since which `lane` should have got something and did not."""
        now = time.monotonic()
        before, since = self._still.get(lane.source, (position, now))
        waiting = not len(lane) and not lane.paused and end > position
        if position != before or not waiting:
            since = now
        self._still[lane.source] = (position, since)
        if now - since > self._stuck:
            raise ConsumerStuckError(f"{lane.source} stands at {position} of {end}")
        return since

    def _held_for(self, worker: Worker, lane: Lane) -> float:
        """Return the seconds for which what was taken of `lane` has been processed no further."""
        now, done = time.monotonic(), _done(worker, lane)
        before, since = self._held.get(lane.source, (done, now))
        if done != before or _in_hand(worker, lane) <= len(lane):
            since = now
        self._held[lane.source] = (done, since)
        return now - since

    def _age(self, lane: Lane, since: float) -> float:
        if lane.oldest_ms is None:
            return time.monotonic() - since
        return max(0.0, self._clock.now_ms() - lane.oldest_ms) / 1000


def _in_hand(worker: Worker, lane: Lane) -> int:
    """Return how many offsets are fetched and not processed."""
    return (lane.next_offset or 0) - _done(worker, lane)


def _done(worker: Worker, lane: Lane) -> int:
    """Return the offset after the last that is processed, at first the one at which it began."""
    return worker.processed.get(lane.source, lane.first_offset or 0)


def is_unreachable(error: BaseException) -> bool:
    """Whether `look` failed because no broker answered."""
    return isinstance(error, KafkaError | TimeoutError | OSError)
