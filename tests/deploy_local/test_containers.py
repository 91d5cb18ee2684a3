"""The official images serve as well as the native servers where a Docker engine answers."""

from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pymongo import MongoClient

from deploy.local.choose import started
from deploy.local.cluster import KafkaCluster
from deploy.local.containers import docker_kafka, docker_mongo
from deploy.local.store import MongoServer, answers
from deploy.local.unavailable import Unavailable

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def kafka_container() -> Iterator[KafkaCluster]:
    try:
        kafka = started(docker_kafka())
    except Unavailable as reason:
        pytest.skip(f"expected: {reason}")
    yield kafka
    kafka.close()


@pytest.fixture(scope="module")
def mongo_container() -> Iterator[MongoServer]:
    try:
        mongo = started(docker_mongo())
    except Unavailable as reason:
        pytest.skip(f"expected: {reason}")
    yield mongo
    mongo.close()


async def test_records_survive_kill_9_of_the_container(kafka_container: KafkaCluster) -> None:
    kafka_container.create_topic("reports", partitions=2)
    async with AIOKafkaProducer(bootstrap_servers=kafka_container.url, acks="all") as producer:
        await producer.send_and_wait("reports", b"fire")
    kafka_container.kill()
    kafka_container.start()
    consumer = AIOKafkaConsumer(
        "reports", bootstrap_servers=kafka_container.url, auto_offset_reset="earliest"
    )
    async with consumer:
        assert (await consumer.getone()).value == b"fire"


def test_documents_survive_kill_9_of_the_container(mongo_container: MongoServer) -> None:
    with MongoClient[dict[str, int]](mongo_container.url) as client:
        client.test.documents.insert_one({"_id": 1})
        mongo_container.kill()
        mongo_container.start()
        assert client.test.documents.find_one() == {"_id": 1}


def test_a_frozen_container_answers_again_when_it_goes_on(mongo_container: MongoServer) -> None:
    mongo_container.pause()
    assert not answers(mongo_container.url)
    mongo_container.resume()
    assert answers(mongo_container.url)
