"""The embedded broker speaks Kafka's protocol well enough for pure-Python machines."""

from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local.embedded import EmbeddedKafka


@pytest.fixture
def embedded() -> Iterator[EmbeddedKafka]:
    broker = EmbeddedKafka()
    yield broker
    broker.close()


async def test_a_record_goes_round(embedded: EmbeddedKafka) -> None:
    embedded.create_topic("reports", partitions=6)
    async with AIOKafkaProducer(bootstrap_servers=embedded.url) as producer:
        await producer.send_and_wait("reports", b"fire", partition=5)
    async with AIOKafkaConsumer(bootstrap_servers=embedded.url, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition("reports", 5)])
        assert (await consumer.getone()).value == b"fire"


def test_a_topic_has_the_partitions_asked_for_and_keeps_them(embedded: EmbeddedKafka) -> None:
    embedded.create_topic("reports", partitions=6)
    embedded.create_topic("reports", partitions=2)
    assert len(embedded.leaders("reports")) == 6


def test_a_setting_it_could_not_keep_is_refused(embedded: EmbeddedKafka) -> None:
    with pytest.raises(ValueError, match=r"cleanup\.policy"):
        embedded.create_topic("agreements", config={"cleanup.policy": "compact"})
