"""Stores and owners for the kernel's tests, closed at their end."""

from pathlib import Path

import pytest

from shared.store import Store
from tests.bus.desk import Desk, new_desk
from tests.bus.live import World


@pytest.fixture
async def desk(store: Store) -> Desk:
    """The owner of a stream with an empty log."""
    return await new_desk(store)


@pytest.fixture
def world(kafka_url: str, tmp_path: Path) -> World:
    """A service name, topics and a store nobody else uses."""
    return World(kafka_url, f"sqlite:///{tmp_path}/service.db")
