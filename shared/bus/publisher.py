"""Keyed, pipelined, acknowledged sends. What was handed in is on the broker when its delivery is done.

Walk of a record: `publish` packs it into the open batch of its output partition; the partition's outlet sends
what has gathered as one batch and waits for the acknowledgement; then the deliveries of these records
count down. One batch per partition is on its way at a time and a failed one is sent again before its
successors, so the order of a partition's first occurrences is the order of `publish`, whatever happens to
the producer.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from shared.bus.backoff import Backoff
from shared.bus.errors import FatalError, broker_reason
from shared.bus.partitioner import partition_of
from shared.contracts.kafka import Record
from shared.telemetry import Metrics
from shared.telemetry.reasons import Reason

log = logging.getLogger(__name__)

BATCH_BYTES = 1_000_000
METADATA_SECONDS = 3.0
"""How long a topic may be unknown before we say so; new ones take a second or two."""
DELIVERY_SECONDS = 60.0
CLOSE_SECONDS = 5.0
TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)

ProducerFactory = Callable[[], AIOKafkaProducer]


class Delivery:
    """The acknowledgements one `publish` waits for. `refused` has the topic of each record the
    broker will never take."""

    __slots__ = ("_done", "_missing", "refused")

    def __init__(self, records: int) -> None:
        self._missing = records
        self._done = asyncio.get_running_loop().create_future()
        self.refused: list[str] = []
        if not records:
            self._done.set_result(None)

    @property
    def accepted(self) -> bool:
        """Whether every record is on the broker."""
        return self._done.done() and not self.refused and self._done.exception() is None

    def fail(self, error: Exception) -> None:
        """Let whoever waits know that nothing more will come of it."""
        if not self._done.done():
            self._done.set_exception(error)
            self._done.exception()  # retrieved: nobody may be waiting

    def settle(self, records: int) -> None:
        """Count `records` as acknowledged (or refused)."""
        self._missing -= records
        if not self._missing and not self._done.done():
            self._done.set_result(None)

    @property
    def done(self) -> bool:
        """Whether every record is settled."""
        return self._done.done()

    async def wait(self) -> None:
        """Return when every record is settled; cancelling the wait cancels nothing else."""
        await asyncio.shield(self._done)

    def then(self, callback: Callable[[], None]) -> None:
        """Call `callback` from the event loop once everything is settled."""
        self._done.add_done_callback(lambda _: callback())


class Publisher:
    """One process's way to the broker: one idempotent producer, made anew when it dies."""

    def __init__(self, make_producer: ProducerFactory, metrics: Metrics) -> None:
        self._make = make_producer
        self._metrics = metrics
        self._producer: AIOKafkaProducer | None = None
        self._generation = 0
        self._recreating = asyncio.Lock()
        self._outlets: dict[tuple[str, int], _Outlet] = {}
        self._partitions: dict[str, int] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.trouble: str | None = None
        """Why nothing goes out at the moment, for readiness; None while all is well."""

    async def start(self) -> None:
        """Connect; waits until a broker answers."""
        self._producer = await self._connect_patiently()
        self.trouble = None

    async def close(self) -> None:
        """Stop sending. Records not yet acknowledged are dropped: their causes will come again."""
        for outlet in self._outlets.values():
            await outlet.close()
        if self._producer is not None:
            await _close_quietly(self._producer)
        await asyncio.gather(*self._closing)

    async def publish(self, records: Sequence[Record]) -> Delivery:
        """Queue `records` in order and return their delivery; waits only for a topic's first metadata."""
        delivery = Delivery(len(records))
        places: dict[tuple[str, int], list[Record]] = {}
        for record in records:
            topic = record.topic
            count = self._partitions.get(topic) or await self._partition_count(topic)
            places.setdefault((topic, _place(record, count)), []).append(record)
        for place, group in places.items():
            self._outlet(*place).put(group, delivery)
        return delivery

    async def _partition_count(self, topic: str) -> int:
        backoff = Backoff()
        while True:
            producer, generation = self.current()
            alarm = asyncio.get_running_loop().call_later(METADATA_SECONDS, self._miss, topic)
            try:
                async with asyncio.timeout(DELIVERY_SECONDS):
                    found = await producer.partitions_for(topic)
            except (UnknownTopicOrPartitionError, TopicAuthorizationFailedError) as error:
                self.trouble = f"{topic} cannot be written: {type(error).__name__}"
                self._metrics.retried.labels(broker_reason(error)).inc()
            except (KafkaError, TimeoutError) as error:
                await self.recreate(generation, error)
            else:
                if self.trouble and self.trouble.startswith(f"{topic} "):
                    self.trouble = None
                self._partitions[topic] = len(found)
                return len(found)
            finally:
                alarm.cancel()
            await backoff.wait()

    def _miss(self, topic: str) -> None:
        """Say which topic is waited for, long before the client gives up on it."""
        self.trouble = f"{topic} is not known to the brokers: missing, or forbidden"
        log.warning("an output topic is missing or forbidden", extra={"topic": topic})

    def _outlet(self, topic: str, partition: int) -> "_Outlet":
        found = self._outlets.get((topic, partition))
        if found is None:
            found = self._outlets[topic, partition] = _Outlet(self, topic, partition, self._metrics)
        return found

    def current(self) -> tuple[AIOKafkaProducer, int]:
        """Return the living producer and its generation."""
        if self._producer is None:
            raise RuntimeError("the publisher was not started")
        return self._producer, self._generation

    async def recreate(self, generation: int, error: BaseException) -> None:
        """Replace the producer of `generation`, unless somebody has; waits until a broker answers.

        aiokafka's idempotent producer never recovers from some errors (#1017) or from the death of its
        sender task, and a batch that was given up must not be overtaken: a new producer is the way out.
        """
        async with self._recreating:
            if generation != self._generation:
                return
            self.trouble = type(error).__name__
            log.warning("the producer is made anew", extra={"reason": repr(error), "generation": generation})
            reason = broker_reason(error)
            forbidden = reason is Reason.NOT_AUTHORIZED
            self._metrics.producer_recreated.labels(reason if forbidden else Reason.PRODUCER_DEAD).inc()
            self._discard(self._producer)
            self._producer = await self._connect_patiently()
            self._generation += 1
            self.trouble = None

    def _discard(self, producer: AIOKafkaProducer | None) -> None:
        if producer is not None:
            task = asyncio.create_task(_close_quietly(producer))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _connect_patiently(self) -> AIOKafkaProducer:
        backoff = Backoff()
        while True:
            try:
                return await self._connect()
            except (KafkaError, OSError, TimeoutError) as error:
                self.trouble = repr(error)
                self._metrics.retried.labels(Reason.BROKER_UNAVAILABLE).inc()
                await backoff.wait()

    async def _connect(self) -> AIOKafkaProducer:
        producer = self._make()
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                await producer.start()
        except BaseException:
            await _close_quietly(producer)
            raise
        return producer


class _Outlet:
    """The way to one output partition: batches that fill while the one before is on its way.

    A record is packed as soon as it is put, while it is in the CPU's caches, and then forgotten; a batch that
    has to be made anew is made from its own bytes.
    """

    def __init__(self, publisher: Publisher, topic: str, partition: int, metrics: Metrics) -> None:
        self._publisher, self._topic, self._partition = publisher, topic, partition
        self._produced = metrics.produced.labels(topic)
        self._refused = metrics.failed.labels(topic, Reason.TOO_LARGE)
        self._batches: deque[BatchBuilder] = deque()
        self._waiting: deque[tuple[Delivery, int]] = deque()
        """Whose records are in the batches, and how many in a row."""
        self._wake = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name=f"outlet {topic}/{partition}")

    def put(self, records: Sequence[Record], delivery: Delivery) -> None:
        append, packed = (self._batches[-1] if self._batches else self._another()).append, 0
        try:
            for record in records:
                key, value, headers = record.key, record.value, record.headers
                if append(timestamp=None, key=key, value=value, headers=headers) is None:
                    append = self._another().append
                    append(timestamp=None, key=key, value=value, headers=headers)
                packed += 1
        finally:  # what is in a batch is waited for, even if a later one cannot be packed
            self._waiting.append((delivery, packed))
            self._wake.set()

    def _another(self) -> BatchBuilder:
        builder = self._publisher.current()[0].create_batch()
        self._batches.append(builder)
        return builder

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._batches:
                    await self._send(self._batches[0])
        except Exception as error:
            log.exception("an output partition is given up", extra={"topic": self._topic})
            for delivery, _ in self._waiting:
                delivery.fail(FatalError(f"{self._topic}/{self._partition} cannot be written: {error!r}"))
            raise

    async def _send(self, batch: BatchBuilder) -> None:
        """Send the batch at the head, again and again until it is acknowledged, split, or refused."""
        backoff = Backoff()
        batch.close()
        while True:
            producer, generation = self._publisher.current()
            try:
                acknowledged = await producer.send_batch(batch, self._topic, partition=self._partition)
                async with asyncio.timeout(DELIVERY_SECONDS):
                    await acknowledged
            except TOO_LARGE as error:
                return self._split(batch) if batch.record_count() > 1 else self._refuse(error)
            except (KafkaError, TimeoutError) as error:
                await self._publisher.recreate(generation, error)
                await backoff.wait()
                batch = self._made_anew(batch)
            else:
                return self._settle(batch.record_count())

    def _made_anew(self, batch: BatchBuilder) -> BatchBuilder:
        """Replace the batch at the head by one that no producer has numbered yet."""
        [self._batches[0]] = anew = self._packed(_records(batch), batch.record_count())
        return anew[0]

    def _split(self, batch: BatchBuilder) -> None:
        """Replace the batch at the head by its halves."""
        halves = self._packed(_records(batch), -(-batch.record_count() // 2))
        self._batches.popleft()
        self._batches.extendleft(reversed(halves))

    def _packed(self, records: Sequence[Any], most: int) -> list[BatchBuilder]:
        """Return `records` in closed batches of `most` at most."""
        packed = []
        for at in range(0, len(records), most):
            builder = self._publisher.current()[0].create_batch()
            for r in records[at : at + most]:
                builder.append(timestamp=r.timestamp, key=r.key, value=r.value, headers=list(r.headers))
            builder.close()
            packed.append(builder)
        return packed

    def _settle(self, count: int) -> None:
        self._batches.popleft()
        self._produced.inc(count)
        while count:
            delivery, records = self._waiting.popleft()
            if records > count:
                self._waiting.appendleft((delivery, records - count))
            delivery.settle(min(records, count))
            count -= min(records, count)

    def _refuse(self, error: Exception) -> None:
        log.error("a record is too large for its topic", extra={"topic": self._topic, "error": repr(error)})
        self._refused.inc()
        self._waiting[0][0].refused.append(self._topic)
        self._settle(1)


def _records(batch: BatchBuilder) -> Sequence[Any]:
    """Return the records that were packed into `batch`."""
    packed = bytes(batch._build())
    return list(MemoryRecords(packed).next_batch())


def _place(record: Record, partitions: int) -> int:
    if record.partition is not None:
        return record.partition % partitions
    return partition_of(record.key or b"", partitions)


async def _close_quietly(producer: AIOKafkaProducer) -> None:
    """Close a producer that may be dead: what it still holds is sent again by its successor."""
    try:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await producer.stop()
        except TimeoutError:  # it waits for acknowledgements that will not come, its sockets still open
            async with asyncio.timeout(CLOSE_SECONDS):
                await producer.client.close()
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  (it is thrown away either way)
        log.info("a producer did not close cleanly", extra={"error": repr(error)})
