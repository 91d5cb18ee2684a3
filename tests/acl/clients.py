"""What any client of Kafka tries: to read, to join a group, to write."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local.access import Access
from shared.contracts import Record

SECONDS = 30
GOODBYE_SECONDS = 5


async def write(access: Access, topic: str, value: bytes = b"hello") -> None:
    """Write one record as a user."""
    async with running(AIOKafkaProducer(**access.aiokafka())) as producer:
        await producer.send_and_wait(topic, value)


async def send(access: Access, *records: Record) -> None:
    """Write events as a user."""
    async with running(AIOKafkaProducer(**access.aiokafka())) as producer:
        for r in records:
            await producer.send_and_wait(r.topic, r.value, r.key, headers=r.headers)


async def read(access: Access, topic: str, group: str | None = None) -> bytes:
    """Read the first record of a topic, or the next one of a group's, as a user."""
    made = AIOKafkaConsumer(topic, **access.aiokafka(), group_id=group, auto_offset_reset="earliest")
    async with running(made) as reader, asyncio.timeout(SECONDS):
        value: bytes = (await reader.getone()).value
        return value


@asynccontextmanager
async def running(client: Any) -> AsyncIterator[Any]:
    """As `async with client`, but stops it also when its start is what fails, and waits for its goodbyes.

    aiokafka does not wait until a TLS connection that it closes has said goodbye; one that outlives the loop
    is found later, as never closed, by whichever test runs then.
    """
    before = _connections()
    try:
        await client.start()
        yield client
    finally:
        await client.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                while _connections() - before:
                    await asyncio.sleep(0.01)


def _connections() -> set[int]:
    """Return the sockets that the loop still has open, by file number; nothing public tells."""
    transports: Any = asyncio.get_running_loop()._transports  # type: ignore[attr-defined]
    sockets = [transport.get_extra_info("socket") for transport in transports.values()]
    return {socket.fileno() for socket in sockets if socket.fileno() >= 0}
