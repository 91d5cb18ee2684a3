"""A broker that dies is waited for: not ready meanwhile, alive all the time, and nothing is lost."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.cluster import KafkaCluster
from deploy.local.kafka import native_kafka
from deploy.local.unavailable import Unavailable
from shared.bus.runtime import Runtime
from shared.contracts import Record, Topic
from tests.bus.live import World, drained, in_order, probe
from tests.bus.services import relay
from tests.bus.support import record_of, report, until

pytestmark = pytest.mark.real_kafka


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """A broker of these tests alone, for them to kill."""
    try:
        cluster = native_kafka(tmp_path_factory.mktemp("kafka"))
    except Unavailable as reason:
        pytest.skip(f"a broker of one's own runs natively only: {reason}")
    with cluster:
        yield cluster


def stream(topic: Topic, start: int, end: int) -> list[Record]:
    return [record_of(topic, report(n), f"key-{n % 9}") for n in range(start, end)]


async def test_a_broker_that_is_killed_and_comes_back_is_waited_for(
    own_kafka: KafkaCluster, tmp_path: Path
) -> None:
    world = World(own_kafka.url, f"sqlite:///{tmp_path}/service.db")
    source, out = world.topic("in", 2), world.topic("out", 2)
    await world.topics(source, out=out)
    service = relay(world, source, out=out)
    async with world.running(service) as runtime:
        await world.send(*stream(source, 0, 300))
        await until(drained(runtime, 300), "the first half")
        await until(lambda: runtime.ready().ok, "ready")
        await asyncio.to_thread(own_kafka.kill)
        await _answers(runtime, "/readyz", 503)
        assert await probe(runtime, "/livez") == 200
        await asyncio.to_thread(own_kafka.start)
        await world.send(*stream(source, 300, 600))
        found = await world.arrived(out, 600, seconds=60)
        await _answers(runtime, "/readyz", 200)
        assert await probe(runtime, "/livez") == 200
        assert runtime.failure is None
    numbers = {value for of_key in in_order(found).values() for value in of_key}
    assert len(numbers) == 600


async def test_a_service_that_starts_before_its_broker_waits_for_it(
    own_kafka: KafkaCluster, tmp_path: Path
) -> None:
    world = World(own_kafka.url, f"sqlite:///{tmp_path}/service.db")
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    await world.send(*stream(source, 0, 10))
    await asyncio.to_thread(own_kafka.kill)
    async with world.running(relay(world, source, out=out)) as runtime:
        await until(lambda: runtime._probes is not None, "probes")
        assert await probe(runtime, "/livez") == 200
        assert await probe(runtime, "/readyz") == 503
        await asyncio.to_thread(own_kafka.start)
        assert len(await world.arrived(out, 10, seconds=60)) == 10
        await _answers(runtime, "/readyz", 200)
        assert runtime.failure is None


async def _answers(runtime: Runtime, path: str, status: int) -> None:
    async def asked() -> bool:
        return await probe(runtime, path) == status

    answered: bool = await until(asked, f"{path} answers {status}", seconds=60)
    assert answered
