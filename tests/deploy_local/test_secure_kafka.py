"""A secure local Kafka denies by default, so that isolation between agencies can be tested for real."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError, TopicAuthorizationFailedError

from deploy.local.cluster import KafkaCluster
from deploy.local.kafka import native_kafka
from deploy.local.unavailable import Unavailable
from tests.servers import aiokafka_login

pytestmark = pytest.mark.real_kafka
PASSWORD = "agency's own"  # with a quote and a blank, as people choose them


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    try:
        cluster = native_kafka(tmp_path_factory.mktemp("secure"), users={"agency": PASSWORD})
    except Unavailable as reason:
        pytest.skip(f"a secure Kafka runs natively only: {reason}")
    with cluster:
        yield cluster


@pytest.fixture
def name(secure: KafkaCluster) -> str:
    name = f"agency.{uuid4().hex[:8]}"
    secure.create_topic(name)
    return name


async def test_a_user_without_an_acl_may_not_write(secure: KafkaCluster, name: str) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        await write(secure, name)


async def test_a_user_with_an_acl_may_write_and_read(secure: KafkaCluster, name: str) -> None:
    secure.allow("agency", ["READ", "WRITE", "DESCRIBE"], topic=name)
    await write(secure, name)
    assert await read(secure, name) == b"hello"


async def test_reading_one_topic_gives_no_right_to_another(secure: KafkaCluster, name: str) -> None:
    secure.allow("agency", ["READ", "DESCRIBE"], topic=name + ".mine")
    with pytest.raises(TopicAuthorizationFailedError):
        await read(secure, name)


async def test_a_prefix_covers_groups_that_start_with_it_and_no_other(
    secure: KafkaCluster, name: str
) -> None:
    secure.allow("agency", ["READ", "DESCRIBE"], topic=name)
    secure.allow("agency", ["READ"], group="agency-", prefix=True)
    await join(secure, name, "agency-desk")
    with pytest.raises(GroupAuthorizationFailedError):
        await join(secure, name, "police-desk")


async def test_a_wrong_password_is_refused(secure: KafkaCluster) -> None:
    with pytest.raises(KafkaConnectionError):
        await write(secure, "agency", password="guessed")


async def write(secure: KafkaCluster, topic: str, password: str = PASSWORD) -> None:
    login = aiokafka_login("agency", password)
    async with running(AIOKafkaProducer(bootstrap_servers=secure.url, **login)) as producer:
        await producer.send_and_wait(topic, b"hello")


async def read(secure: KafkaCluster, topic: str) -> bytes:
    async with running(consumer(secure, topic, auto_offset_reset="earliest")) as reader, asyncio.timeout(30):
        value: bytes = (await reader.getone()).value
        return value


async def join(secure: KafkaCluster, topic: str, group: str) -> None:
    async with running(consumer(secure, topic, group_id=group)):
        pass


def consumer(secure: KafkaCluster, topic: str, **settings: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        topic, bootstrap_servers=secure.url, **aiokafka_login("agency", PASSWORD), **settings
    )


@asynccontextmanager
async def running(client: Any) -> AsyncIterator[Any]:
    """As `async with client`, but stops it also when its start is what fails."""
    try:
        await client.start()
        yield client
    finally:
        await client.stop()
