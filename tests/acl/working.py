"""Services run in this process as their own users, and what an administrator sees of their work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from deploy.local.access import Access
from deploy.local.secure import SecureKafka
from shared.bus import Service
from shared.bus.runtime import Runtime
from tests.acl.clients import running
from tests.bus.live import World
from tests.bus.support import until
from tests.intake.live import Door, told


@asynccontextmanager
async def at_work(
    access: Access, service: Service, folder: Path, door: Door, **more: str
) -> AsyncIterator[Runtime]:
    """The service in this process, let in by `access`."""
    extra = access.environment() | told(folder, door) | {"CLOCK_RATE": "1", "DRAIN_SECONDS": "1"} | more
    world = World(access.url, f"sqlite:///{folder}/{service.name}.db", service.name, extra)
    async with world.running(service) as runtime:
        yield runtime


async def everything(kafka: SecureKafka, topic: str, partitions: int = 1) -> list[ConsumerRecord]:
    """All that is on a topic now, as the administrator sees it."""
    sources = [TopicPartition(topic, number) for number in range(partitions)]
    async with running(AIOKafkaConsumer(**kafka.admin.aiokafka())) as reader:
        reader.assign(sources)
        await reader.seek_to_beginning(*sources)
        ends = await reader.end_offsets(sources)
        found: list[ConsumerRecord] = []
        while [source for source in sources if await reader.position(source) < ends[source]]:
            for batch in (await reader.getmany(timeout_ms=200)).values():
                found += batch
    return found


async def arrived(kafka: SecureKafka, topic: str, count: int) -> list[ConsumerRecord]:
    """The same once it is at least `count` records."""

    async def enough() -> list[ConsumerRecord] | None:
        found = await everything(kafka, topic)
        return found if len(found) >= count else None

    return await until(enough, f"{count} records on {topic}", 40)
