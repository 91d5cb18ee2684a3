"""A replica of intake on stores of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bus.live import World
from tests.intake.replica import Replica, replica_on, stores


@pytest.fixture
async def replica(tmp_path: Path) -> AsyncIterator[Replica]:
    """One replica."""
    async with stores(tmp_path) as (own, keys):
        yield replica_on(own, keys)


@pytest.fixture
def world(kafka_url: str, tmp_path: Path) -> World:
    """Settings and topics on the run's Kafka; the service keeps its own name and topics."""
    return World(kafka_url, f"sqlite:///{tmp_path}/intake.db", name="intake")
