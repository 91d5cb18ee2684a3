"""Watches a running system from outside: its topics, from where they ended when the replay began."""

from asyncio import CancelledError, create_task
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.demo.witness import Seen, partitions_of, read_on
from deploy.local.replay.done import Done
from shared.settings import Settings, kafka_client_options

FETCH_WAIT_MS = 10
"""So that what is measured is the system: the embedded broker lets a fetch wait this long, whatever comes."""


@asynccontextmanager
async def watching(settings: Settings, done: Done, take: Callable[[Seen], None]) -> AsyncIterator[list[str]]:
    """Hand over what comes in for as long as the context lasts; yields the agencies that have a topic.

    Raises KafkaError.
    """
    options = kafka_client_options(settings)
    consumer = AIOKafkaConsumer(
        **options, auto_offset_reset="earliest", enable_auto_commit=False, fetch_max_wait_ms=FETCH_WAIT_MS
    )
    await consumer.start()
    task = None
    try:
        topics = [name for name in await consumer.topics() if _wanted(name)]
        await _seek(consumer, topics, done)
        task = create_task(read_on(consumer, take))
        yield sorted(name.split(".")[1] for name in topics if name.startswith("agency."))
    finally:
        if task is not None:
            task.cancel()
            with suppress(CancelledError):
                await task
        await consumer.stop()


def _wanted(name: str) -> bool:
    agency = name.startswith("agency.") and name.endswith(".incidents")
    return agency or name in ("incidents", "deliveries") or name.endswith(".dlq")


async def _seek(consumer: AIOKafkaConsumer, topics: list[str], done: Done) -> None:
    partitions = await partitions_of(consumer, topics)
    consumer.assign(partitions)
    if done.start is None:
        ends = await consumer.end_offsets(partitions)
        done.begin({f"{p.topic}/{p.partition}": offset for p, offset in ends.items()})
    assert done.start is not None
    for partition in partitions:
        consumer.seek(partition, done.start.get(_name(partition), 0))


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}/{partition.partition}"
