"""What several tests of the gateway start from."""

import pytest

from shared.store import SqliteStore, Store
from tests.dispatch.test_gateway import Post


@pytest.fixture
def post(store: Store) -> Post:
    """A gateway on an empty store."""
    assert isinstance(store, SqliteStore)
    return Post(store)
