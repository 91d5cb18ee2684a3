"""The publisher ends when it is told to, whatever arrives at that very moment."""

import asyncio
from typing import Any

from aiokafka.producer.message_accumulator import BatchBuilder

from shared.bus.publisher import Publisher
from shared.contracts import Record
from tests.bus.support import new_metrics, until


class Producer:
    """A broker's place: takes batches and acknowledges when the test says so."""

    def __init__(self) -> None:
        self.acknowledgements: list[asyncio.Future[None]] = []

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def partitions_for(self, _: str) -> set[int]:
        return {0}

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(10_000, 0)

    async def send_batch(self, *_: Any, **__: Any) -> "asyncio.Future[None]":
        self.acknowledgements.append(asyncio.get_running_loop().create_future())
        return self.acknowledgements[-1]


async def test_closing_while_an_acknowledgement_comes_in_ends() -> None:
    producer = Producer()
    publisher = Publisher(lambda: producer, new_metrics())
    await publisher.start()
    await publisher.publish([Record("topic", b"key", b"value", [])])
    [acknowledgement] = await until(lambda: producer.acknowledgements, "a batch on its way")
    acknowledgement.set_result(None)
    async with asyncio.timeout(5):
        await publisher.close()
