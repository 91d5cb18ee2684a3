"""Dead letters as operators handle them: choose some of a topic, see what they were, send them again."""

import base64
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import click
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from pydantic_core import from_json

from shared.bus.admin import admin_client
from shared.bus.clients import make_producer
from shared.bus.dead_letters import PREFIX
from shared.contracts.kafka import Header
from shared.contracts.topics import replay_of
from shared.settings import Settings, kafka_client_options

SUFFIX = ".dlq"
POLL_MS = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters of a topic are meant; what is None does not matter."""

    partition: int | None = None
    offset: int | None = None
    key: str | None = None
    reason: str | None = None

    def __contains__(self, letter: ConsumerRecord) -> bool:
        return (
            self.partition in (None, letter.partition)
            and self.offset in (None, letter.offset)
            and (self.key is None or letter.key == self.key.encode())
            and self.reason in (None, said(letter, "reason"))
        )


def said(letter: ConsumerRecord, name: str) -> str:
    """Return what the header `dlq_<name>` says, `?` without one; the last of several counts."""
    found: dict[str, bytes | None] = dict(letter.headers)
    return (found.get(PREFIX + name) or b"?").decode("utf-8", "replace")


def headers_of(letter: ConsumerRecord) -> list[Header]:
    """Return the headers the record came with, then the dlq_* ones; bytes no UTF-8 name has as surrogates."""
    about = [header for header in letter.headers if header[0].startswith(PREFIX)]
    packed = dict(about).get(PREFIX + "headers")
    if packed is None:
        return [header for header in letter.headers if header not in about] + about
    pairs = ([base64.b64decode(part) for part in header] for header in from_json(packed))
    return [(name.decode("utf-8", "surrogateescape"), value) for name, value in pairs] + about


def writable(headers: Iterable[Header]) -> list[Header]:
    """Return the headers whose names are UTF-8: aiokafka can write no others."""
    return [(name, value) for name, value in headers if not any("\ud800" <= c <= "\udfff" for c in name)]


async def partitions(settings: Settings) -> dict[str, list[int]]:
    """Return the partition numbers of every topic there is. Raises KafkaError."""
    async with admin_client(settings) as admin:
        described = await admin.describe_topics()
    return {t["topic"]: sorted(p["partition"] for p in t["partitions"]) for t in described}


async def dlq_topics(settings: Settings) -> list[str]:
    """Return the names of all dead-letter topics, sorted. Raises KafkaError."""
    return sorted(name for name in await partitions(settings) if name.endswith(SUFFIX))


async def letters(settings: Settings, topics: Sequence[str], choice: Choice) -> AsyncIterator[ConsumerRecord]:
    """Yield the chosen letters that are on `topics` now, in order per partition. Raises KafkaError."""
    found = await partitions(settings)
    if unknown := sorted(set(topics) - found.keys()):
        raise click.UsageError(f"there is no topic {', '.join(unknown)}")
    sources = [TopicPartition(topic, number) for topic in topics for number in found[topic]]
    if not sources:
        return
    async with _reader(settings) as reader:
        begins, ends = await reader.beginning_offsets(sources), await reader.end_offsets(sources)
        for source in sources:
            begin = begins[source] if choice.offset is None else max(begins[source], choice.offset)
            if choice.partition in (None, source.partition) and begin < ends[source]:
                async for letter in _read(reader, source, begin, ends[source]):
                    if letter in choice:
                        yield letter


@asynccontextmanager
async def _reader(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    options = kafka_client_options(settings)
    reader = AIOKafkaConsumer(**options, client_id="ruamjai-operator", auto_offset_reset="earliest")
    try:
        await reader.start()
        yield reader
    finally:
        await reader.stop()


async def _read(
    reader: AIOKafkaConsumer, source: TopicPartition, begin: int, end: int
) -> AsyncIterator[ConsumerRecord]:
    reader.assign([source])
    reader.seek(source, begin)
    while await reader.position(source) < end:
        for letter in (await reader.getmany(source, timeout_ms=POLL_MS)).get(source, ()):
            yield letter


async def send_again(
    settings: Settings, chosen: Sequence[ConsumerRecord], value: bytes | None = None
) -> None:
    """Copy letters, in order, to the replay topics of their groups; `value`, if any, in place of theirs.

    Key, partition number and headers stay, so the event is the same event. Raises KafkaError.
    """
    producer = make_producer(settings)
    try:
        await producer.start()
        for letter in chosen:
            await _send(producer, letter, letter.value if value is None else value)
    finally:
        await producer.stop()


async def _send(producer: AIOKafkaProducer, letter: ConsumerRecord, value: bytes | None) -> None:
    topic, number = replay_of(said(letter, "group")), letter.partition
    if number not in await producer.partitions_for(topic):
        raise click.ClickException(f"{topic} has no partition {number}; it needs as many as {letter.topic}")
    batch = producer.create_batch()  # unlike `send`, it takes a record with neither key nor value
    batch.append(key=letter.key, value=value, timestamp=None, headers=writable(headers_of(letter)))
    await (await producer.send_batch(batch, topic, partition=number))
