"""The store: a commit log with snapshots, on MongoDB for deployments and on an SQLite file as the default."""

from shared.store.documents import Document, Documents
from shared.store.group_commit import GroupCommit
from shared.store.mongo import MongoStore
from shared.store.port import Store, StoreError, StoreUnavailable
from shared.store.records import MAX_BODY_BYTES, MAX_STATE_BYTES, Commit, Head, Parked, Snapshot
from shared.store.sqlite import SqliteStore

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_STATE_BYTES",
    "Commit",
    "Document",
    "Documents",
    "GroupCommit",
    "Head",
    "MongoStore",
    "Parked",
    "Snapshot",
    "SqliteStore",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "open_store",
]


def open_store(url: str) -> Store:
    """The store at `url`, not yet started; ValueError when the address names none.

    "mongodb://host/database?options" (also "mongodb+srv"; the database is `ruamjai` unless named), or
    "sqlite:///relative.db", "sqlite:////absolute.db": what follows the third slash is the path.
    """
    scheme, _, rest = url.partition("://")
    if scheme in {"mongodb", "mongodb+srv"}:
        return MongoStore(url)
    path = rest.removeprefix("/")
    if scheme != "sqlite" or path == rest:
        raise ValueError(f"a store is mongodb://… or sqlite:///path, not {scheme or url!r}")
    if path in {"", ":memory:"}:
        raise ValueError("a store in memory is not durable: give SQLite a file, sqlite:///path")
    return SqliteStore(path)
