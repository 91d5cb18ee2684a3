"""A local Kafka is a real one: it keeps its data when killed, and a cluster outlives its leader."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local.cluster import KafkaCluster
from deploy.local.kafka import native_kafka
from deploy.local.unavailable import Unavailable
from deploy.local.wait import poll

pytestmark = pytest.mark.real_kafka
Topic = Callable[..., str]


@pytest.fixture
def three_brokers(tmp_path: Path) -> Iterator[KafkaCluster]:
    try:
        cluster = native_kafka(tmp_path, brokers=3)
    except Unavailable as reason:
        pytest.skip(f"three brokers run natively only: {reason}")
    with cluster:
        yield cluster


async def test_records_survive_kill_9(kafka: KafkaCluster, topic: Topic) -> None:
    name = topic()
    await send(kafka.url, name, range(100))
    await asyncio.to_thread(kafka.kill)
    await asyncio.to_thread(kafka.start)
    assert await read(kafka.url, name, 100) == list(range(100))


async def test_a_stopped_broker_comes_back_on_the_same_port(kafka: KafkaCluster, topic: Topic) -> None:
    name = topic(partitions=3)
    await asyncio.to_thread(kafka.stop)
    assert await asyncio.to_thread(kafka.brokers) == set()
    await asyncio.to_thread(kafka.start)
    assert kafka.leaders(name) == {0: 0, 1: 0, 2: 0}


async def test_a_frozen_broker_answers_again_when_it_goes_on(kafka: KafkaCluster, topic: Topic) -> None:
    name = topic()
    kafka.pause()
    sending = asyncio.create_task(send(kafka.url, name, [1]))
    done, _ = await asyncio.wait([sending], timeout=1)
    assert not done
    kafka.resume()
    await sending
    assert await read(kafka.url, name, 1) == [1]


def test_a_server_outlives_the_thread_that_started_it(kafka: KafkaCluster) -> None:
    # Linux ends a child with the thread that made it; the launcher must not pass this on.
    kafka.kill()
    starter = Thread(target=kafka.start)
    starter.start()
    starter.join()
    assert kafka.brokers() == {0}


@pytest.mark.slow
async def test_a_producer_goes_on_when_the_leader_is_killed(three_brokers: KafkaCluster) -> None:
    three_brokers.create_topic("replicated", partitions=1, replication=3)
    leader = three_brokers.leader_of("replicated")
    producer = AIOKafkaProducer(
        bootstrap_servers=three_brokers.url, acks="all", enable_idempotence=True, request_timeout_ms=30_000
    )
    async with producer:
        await producer.send_and_wait("replicated", b"0")
        await asyncio.to_thread(three_brokers.kill, leader)
        for number in range(1, 10):
            await producer.send_and_wait("replicated", str(number).encode())
    assert await read(three_brokers.url, "replicated", 10) == list(range(10))
    assert await asyncio.to_thread(three_brokers.leader_of, "replicated") != leader
    await asyncio.to_thread(three_brokers.start, leader)
    await asyncio.to_thread(poll, lambda: three_brokers.brokers() == {0, 1, 2}, 30, "all brokers back")


async def send(url: str, topic: str, numbers: range | list[int]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=url, acks="all") as producer:
        for future in [await producer.send(topic, str(number).encode()) for number in numbers]:
            await future


async def read(url: str, topic: str, count: int) -> list[int]:
    """The first `count` records of a topic; TimeoutError when there are fewer."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=url, auto_offset_reset="earliest")
    async with asyncio.timeout(30), consumer:
        return [int((await consumer.getone()).value) for _ in range(count)]
