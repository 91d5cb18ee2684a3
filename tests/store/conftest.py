"""The store under test on each adapter; a test that ran a query without an index fails."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from shared.store import Store, open_store
from tests.store.helpers import in_database, new_stream
from tests.store.queries import Queries, watch

ADAPTERS = ["sqlite", pytest.param("mongo", marks=pytest.mark.real_mongo)]


@pytest.fixture(autouse=True)
def queries() -> Iterator[Queries]:
    """What this test asked the databases; every query must be bounded by an index."""
    with watch() as seen:
        yield seen
    assert seen.unindexed() == []


@pytest.fixture(params=ADAPTERS)
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty store's address, once for every adapter."""
    fixture: str = request.getfixturevalue(f"{request.param}_store_url")
    return fixture


@pytest.fixture
def sqlite_store_url(tmp_path: Path) -> str:
    """A file that does not exist yet, in a directory that does not either."""
    return f"sqlite:///{tmp_path}/data/store.db"


@pytest.fixture
def mongo_store_url(mongo_url: str) -> Iterator[str]:
    """A database that does not exist yet."""
    name = f"t{uuid.uuid4().hex}"
    yield in_database(mongo_url, name)
    with MongoClient[dict[str, object]](mongo_url) as client:
        client.drop_database(name)


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """A started store."""
    store = open_store(store_url)
    await store.start()
    yield store
    await store.close()


@pytest.fixture
def stream() -> str:
    """The name of a stream nobody has written to."""
    return new_stream()
