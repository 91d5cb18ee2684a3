"""The one place that names the MongoDB driver class, with the options that make its answers mean durable."""

from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo.read_preferences import ReadPreference

from shared.store.port import StoreError

Document: TypeAlias = dict[str, Any]
Client: TypeAlias = "AsyncIOMotorClient[Document]"
Collection: TypeAlias = "AsyncIOMotorCollection[Document]"

MAX_CONNECTIONS = 10  # more concurrent writes than about 20 stop some MongoDB-compatible servers for good
DEFAULT_DATABASE = "ruamjai"
# Durable is what a majority has in its journal. The driver never repeats a write on its own: a conflict must
# mean that somebody had answered, and our caller repeats with knowledge.
DURABLE: Document = {
    "w": "majority",
    "journal": True,
    "readConcernLevel": "majority",
    "readPreference": "primary",
    "retryWrites": False,
}
# A URL may set these; the socket time-out ends a wait for a majority that does not come.
BOUNDS: Document = {
    "maxPoolSize": MAX_CONNECTIONS,
    "connectTimeoutMS": 2_000,
    "serverSelectionTimeoutMS": 2_000,
    "socketTimeoutMS": 10_000,
    "waitQueueTimeoutMS": 10_000,
}


def connect(url: str) -> Client:
    """A client of the running event loop; it connects at the first command. StoreError on unsafe options."""
    given = {name.lower() for name, _ in parse_qsl(urlsplit(url).query)}
    bounds = {name: value for name, value in BOUNDS.items() if name.lower() not in given}
    client: Client = AsyncIOMotorClient(url, **bounds, **DURABLE)
    try:
        assert_safe(client)
    except StoreError:
        client.close()
        raise
    return client


def assert_safe(client: Client) -> None:
    """Raise StoreError unless the client itself says that it writes durably and bounds every wait."""
    options: Any = client.options
    pool = options.pool_options
    safe = {
        "write concern": client.write_concern.document == {"w": "majority", "j": True},
        "read concern": client.read_concern.document == {"level": "majority"},
        "read preference": client.read_preference == ReadPreference.PRIMARY,
        "retryWrites": not options.retry_writes,
        "maxPoolSize": 1 <= (pool.max_pool_size or 0) <= MAX_CONNECTIONS,
        "time-outs": all((pool.socket_timeout, pool.connect_timeout, pool.wait_queue_timeout)),
    }
    if not all(safe.values()):
        raise StoreError(f"unsafe MongoDB options: {', '.join(name for name, ok in safe.items() if not ok)}")
