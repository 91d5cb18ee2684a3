"""One partition's loop: take a slice, process it, send what it came to, and note what is acknowledged.

The next slice is processed while the acknowledgements of the previous ones are on their way; offsets become
committable in order, and only when everything before them is on the broker.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition

from shared.bus.dead_letters import Budget
from shared.bus.errors import FatalError
from shared.bus.incoming import Incoming
from shared.bus.lanes import Lane, Lanes, Slice
from shared.bus.observer import Observer
from shared.bus.parking import record_of, replaces
from shared.bus.processor import Processor
from shared.bus.publisher import Delivery, Publisher
from shared.bus.turnstile import Turnstile
from shared.bus.work import Outcome
from shared.store import Parked

IN_FLIGHT_BYTES = 2_000_000
"""What may wait for acknowledgements at once, and one slice more."""
RECORD_BYTES = 500
"""What a record counts besides its value, and a slice besides its records."""
SLICE_SECONDS = 0.01
FIRST_SLICE = 1
LISTEN_SECONDS, LEAST_LISTEN_SECONDS = 0.05, 0.005
"""By the service's clock, but not less: how often it is looked whether all is known that was said before a
timer was due."""
TAIL_SECONDS = 3.0
"""How often the owner looks for a commit that somebody else has appended."""


@dataclass(slots=True)
class _Sent:
    delivery: Delivery
    outcome: Outcome
    next_offsets: dict[TopicPartition, int]
    size: int


class Worker:
    """The owner of one partition number over all inputs of its consumer."""

    def __init__(
        self,
        partition: int,
        lanes: Lanes,
        processor: Processor,
        publisher: Publisher,
        observer: Observer,
        budgets: dict[str, Budget],
        turnstile: Turnstile,
    ) -> None:
        self.partition, self.lanes, self.processor = partition, lanes, processor
        self.patience, self._parking = processor.place.patience, processor.place.parking
        self.processed: dict[TopicPartition, int] = {}
        """The offset after the last record whose effects are all on the broker, by input."""
        self._publisher, self._observer, self._budgets = publisher, observer, budgets
        self._turnstile = turnstile
        self._sent: deque[_Sent] = deque()
        self._in_flight = 0
        self._limit = FIRST_SLICE
        self.draining = False
        self.listen: Callable[[Iterable[Lane]], Awaitable[None]] | None = None
        """Lets lanes know how far they are of what there is at the broker."""
        self._listening = max(LEAST_LISTEN_SECONDS, processor.place.clock.real_seconds(LISTEN_SECONDS))
        self._tail_checked = self._moved = time.monotonic()
        self.task: asyncio.Task[None] | None = None

    def start(self) -> asyncio.Task[None]:
        """Begin; the task ends when the worker was stopped, or with the error that no waiting heals."""
        self.task = asyncio.create_task(self._run(), name=f"worker {self.partition}")
        return self.task

    async def stop(self, seconds: float) -> None:
        """Finish what is in hand within `seconds`, abandon it after that; what is abandoned comes again."""
        self.draining = True
        self.lanes.wake()
        if self.task is not None:
            await asyncio.wait([self.task], timeout=seconds)
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    @property
    def finished(self) -> bool:
        """Whether it was stopped and had the time to leave everything as it should be."""
        task = self.task
        return task is not None and task.done() and not task.cancelled() and task.exception() is None

    @property
    def idle(self) -> bool:
        """Whether nothing is queued or on its way."""
        return not len(self.lanes) and not self._sent

    def stalled(self, seconds: float) -> bool:
        """Whether there is work, nothing we wait for is away, and yet nothing has moved for `seconds`."""
        busy = not self.idle and self.patience.waiting is None and self._publisher.trouble is None
        return busy and time.monotonic() - self._moved > seconds

    async def _run(self) -> None:
        try:
            await self._send(await self.processor.open(), {})
            await self._settled()
            await self._work()
            await self._settled()
            await self.processor.close()
        finally:
            self.processor.abandon()
            self._open_lanes(math.inf)

    async def _work(self) -> None:
        while not self.draining:
            self._moved = time.monotonic()
            await self.lanes.wait(self._until_next_duty())
            begin = await self._turnstile.go_through(self.lanes.claim)
            await self._duties()
            slice_ = self.lanes.take(self._limit, begin=begin)
            if slice_.records:
                await self._handle(slice_)
            elif slice_.next_offsets:  # offsets without records: a compacted topic has gaps
                await self._send(Outcome(), slice_.next_offsets)
            del slice_

    def _until_next_duty(self) -> float | None:
        until = self.processor.seconds_to_timer()
        if until is not None and until < self._listening and self.lanes.unknown_seconds():
            until = self._listening
        tail = self._tail_checked + TAIL_SECONDS - time.monotonic()
        return max(0.0, tail if until is None else min(until, tail))

    async def _duties(self) -> None:
        """Due timers, a look at the log's tail, a snapshot: what does not wait for input."""
        if self.processor.seconds_to_timer() == 0.0:
            if self.listen is not None:
                await self.listen(self.lanes.urgent)
            await self._send(await self.processor.fire(self.lanes.unknown_seconds()), {})
        if time.monotonic() - self._tail_checked >= TAIL_SECONDS:
            self._tail_checked = time.monotonic()
            await self._send(await self.processor.refresh(), {})
        if self._sent and self._sent[0].delivery.done:
            await self._settle_first()
        self._open_lanes(asyncio.get_running_loop().time())
        self.processor.housekeep()

    def _open_lanes(self, now: float) -> None:
        for lane in self.lanes:
            if 0.0 < lane.closed_until <= now:
                lane.closed_until = 0.0
                self._observer.resumed(lane.source.topic)

    async def _handle(self, slice_: Slice) -> None:
        started = time.perf_counter()
        fresh, replays = slice_.records, list[Incoming]()
        if any(source.topic == self._parking.replays for source in slice_.next_offsets):
            replays = [r for r in slice_.records if self._parking.is_replay(r)]
            fresh = [r for r in slice_.records if not self._parking.is_replay(r)]
        waited = self.processor.waited
        outcome = await self.processor.process(fresh)
        waited = self.processor.waited - waited
        self._adapt(len(slice_.records), time.perf_counter() - started - waited)
        self._observer.processed(fresh, outcome, started)
        await self._send(outcome, {} if replays else slice_.next_offsets)
        if replays:
            for replay in replays:
                await self._replay(replay)
            await self._send(Outcome(), slice_.next_offsets)

    def _adapt(self, records: int, seconds: float) -> None:
        """Size slices so that one works for about SLICE_SECONDS: what is urgent waits no longer than that.

        Waiting for the store is no work: slices cut smaller because of it would only wait more often.
        """
        fitting = int(records * SLICE_SECONDS / max(seconds, 1e-6))
        step = (fitting - self._limit) // 4 or (fitting > self._limit)
        self._limit = max(1, min(self.processor.largest_slice, self._limit + step))

    async def _replay(self, replay: Incoming) -> None:
        """Process a replayed record and then, if it went well, what waited behind it."""
        started = time.perf_counter()
        outcome = await self.processor.process([replay])
        self._observer.processed([replay], outcome, started)
        await self._send(outcome, {})
        if outcome.buried:
            return
        while waiting := await self.patience.until_done(lambda: self._parking.reopen(replay)):
            rest = [p for p in waiting if not replaces(replay, p)]
            outcome = await self.processor.process([record_of(p) for p in rest])
            await self._send(outcome, {})
            await self._settled()
            await self._release(waiting, outcome)
            self._parking.released(waiting[0].key, more=not outcome.parked)
            if outcome.parked:
                return

    async def _release(self, waiting: Sequence[Parked], outcome: Outcome) -> None:
        stay = {(p.topic, p.partition, p.offset) for p in outcome.parked}
        gone = [p for p in waiting if (p.topic, p.partition, p.offset) not in stay]
        await self.patience.until_done(lambda: self._parking.release(gone))
        self._observer.released(gone)

    async def _send(self, outcome: Outcome, next_offsets: dict[TopicPartition, int]) -> None:
        if not outcome.records and not next_offsets and not outcome.parked:
            return
        delivery = await self._publisher.publish(outcome.records)
        values = sum([len(record.value or b"") for record in outcome.records])
        size = values + RECORD_BYTES * (1 + len(outcome.records))
        self._sent.append(_Sent(delivery, outcome, next_offsets, size))
        self._in_flight += size
        outcome.records.clear()  # packed: nobody needs them again
        if outcome.parked:
            await self._park(outcome, self._sent.pop())
        delivery.then(self._advance)
        while self._in_flight > IN_FLIGHT_BYTES:
            await self._settle_first()
        self._spend(outcome)

    async def _park(self, outcome: Outcome, sent: _Sent) -> None:
        """Save what is parked once its dead letters are out, and only then let the offsets go on."""
        await self._settled()
        await _accepted(sent.delivery)
        await self.patience.until_done(lambda: self._parking.save(outcome.parked))
        self._sent.append(sent)

    async def _settled(self) -> None:
        while self._sent:
            await self._settle_first()

    async def _settle_first(self) -> None:
        await _accepted(self._sent[0].delivery)
        self._advance()

    def _advance(self) -> None:
        while self._sent and self._sent[0].delivery.accepted:
            sent = self._sent.popleft()
            self._in_flight -= sent.size
            self.processed.update(sent.next_offsets)
            self.processor.delivered(sent.outcome)
            self._observer.acknowledged(sent.outcome)

    def _spend(self, outcome: Outcome) -> None:
        """Charge dead letters to their input: an outsider's closes for a while, ours stops the consumer."""
        now = asyncio.get_running_loop().time()
        for (topic, _), count in outcome.dead.items():
            budget = self._budgets.get(topic)
            if budget is not None and budget.spend(count, now):
                self._overdrawn(topic, budget, now)

    def _overdrawn(self, topic: str, budget: Budget, now: float) -> None:
        lane = next((lane for lane in self.lanes if lane.source.topic == topic), None)
        if lane is None or not lane.outsiders:
            raise FatalError(
                f"more than {budget.limit} dead letters from {topic} within {budget.window:.0f} s: stopped "
                f"before more is set aside; look at its DLQ, mend the writer or the handler, start again"
            )
        if not lane.closed_until:
            self._observer.paused(topic, budget.window)
        lane.closed_until = now + budget.window
        budget.reset()


async def _accepted(delivery: Delivery) -> None:
    """Return when everything is on the broker. Raises FatalError when that will never be."""
    await delivery.wait()
    if delivery.refused:
        topic = delivery.refused[0]
        raise FatalError(f"{topic} refuses a record as too large: raise its max.message.bytes, then restart")
