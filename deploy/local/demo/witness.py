"""Independent readers: plain aiokafka clients that know the topics' names and CloudEvents, nothing more."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

POLL_MS = 100


@dataclass(frozen=True, slots=True)
class Seen:
    """One record as it was on the wire. `at` is the reader's monotonic clock in seconds."""

    topic: str
    value: bytes
    headers: dict[str, str]
    at: float = 0.0
    key: bytes = b""

    @property
    def id(self) -> str:
        """The CloudEvents id."""
        return self.headers.get("ce_id", "")

    @property
    def kind(self) -> str:
        """`noun.verb` of the CloudEvents type."""
        return ".".join(self.headers.get("ce_type", "").split(".")[2:4])

    @property
    def data(self) -> dict[str, Any]:
        """The body. Raises ValueError when it is not JSON."""
        found: dict[str, Any] = json.loads(self.value)
        return found


@dataclass
class Reader:
    """Everything that was on some topics, in the order in which it was read; `hear` is told at once."""

    hear: list[Callable[[Seen], None]] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    def of(self, *topics: str) -> list[Seen]:
        """The records of these topics."""
        return [record for record in self.seen if record.topic in topics]

    def take(self, record: Seen) -> None:
        """Note a record and tell whoever listens."""
        self.seen.append(record)
        for told in self.hear:
            told(record)


@asynccontextmanager
async def reading(client: Mapping[str, Any], topics: Sequence[str]) -> AsyncIterator[Reader]:
    """Read `topics` from their beginning while the context lasts; `client` says where and as whom."""
    reader = Reader()
    consumer = AIOKafkaConsumer(**client, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    await assign(consumer, topics)
    task = asyncio.create_task(read_on(consumer, reader.take))
    try:
        yield reader
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await consumer.stop()


async def assign(consumer: AIOKafkaConsumer, topics: Sequence[str]) -> None:
    """Let `consumer` read every partition of `topics` from the first record, in no group."""
    partitions = await partitions_of(consumer, topics)
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)


async def partitions_of(consumer: AIOKafkaConsumer, topics: Sequence[str]) -> list[TopicPartition]:
    """Return every partition of `topics`; one that does not exist has none."""
    known = await consumer._client.fetch_all_metadata()
    return [
        TopicPartition(name, n) for name in topics for n in sorted(known.partitions_for_topic(name) or ())
    ]


async def read_on(consumer: AIOKafkaConsumer, take: Callable[[Seen], None]) -> None:
    """Hand over what `consumer` reads, until cancelled."""
    while True:
        for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
            for r in records:
                headers = {name: value.decode(errors="replace") for name, value in r.headers}
                take(Seen(r.topic, r.value or b"", headers, time.monotonic(), r.key or b""))
