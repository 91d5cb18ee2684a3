"""A small jurisdiction whose borders are easy to reckon with, and the topics geo works on."""

from pathlib import Path

import pytest

from deploy.local.choose import Chosen
from deploy.local.kafka_server import KafkaServer
from shared.contracts.topics import (
    REPORTS_LOCATED,
    REPORTS_LOCATED_URGENT,
    REPORTS_RECEIVED,
    REPORTS_RECEIVED_URGENT,
    replay_of,
)
from shared.pack.jurisdiction import Jurisdiction
from tests.bus.live import World
from tests.pack.packs import loaded, small


@pytest.fixture
def jurisdiction(tmp_path: Path) -> Jurisdiction:
    """Two districts, west and east of 101 degrees, five desks and one zone on their border."""
    return loaded(tmp_path, small())


@pytest.fixture
def world(chosen_kafka: Chosen[KafkaServer]) -> World:
    """Geo's real topics on the broker of this run, whichever kind it is."""
    inputs, outputs = (REPORTS_RECEIVED, REPORTS_RECEIVED_URGENT), (REPORTS_LOCATED, REPORTS_LOCATED_URGENT)
    counts = {topic.name: topic.partitions for topic in (*inputs, *outputs)}
    counts |= {topic.dlq("geo"): topic.partitions for topic in inputs}
    counts[replay_of("geo")] = REPORTS_RECEIVED.partitions
    for name, partitions in counts.items():
        chosen_kafka.server.create_topic(name, partitions)
    return World(chosen_kafka.server.url, name="geo")
