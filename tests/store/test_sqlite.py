"""What is SQLite's own: durability settings, locks of other processes, damaged and misplaced files."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from shared.store import SqliteStore, StoreError, StoreUnavailable
from shared.store.sqlite_thread import FULL, connect
from tests.store.helpers import a_commit


def test_a_connection_writes_ahead_and_syncs_at_every_commit(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "store.db", 1.0)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (FULL,)


def test_nobody_else_may_read_its_files(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "store.db", 1.0)) as connection:
        connection.execute("CREATE TABLE something (x)")
        files = sorted(tmp_path.iterdir())
        assert [file.suffix for file in files] == [".db", ".db-shm", ".db-wal"]
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


async def test_a_lock_of_another_process_is_waited_for_only_so_long(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path, busy_seconds=0.05)
    await store.start()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await store.append([a_commit("dispatch/0", 1)])
        with pytest.raises(StoreUnavailable):
            await store.ping()
        assert await store.tail("dispatch/0", 0) == []
        other.execute("ROLLBACK")
    assert await store.append([a_commit("dispatch/0", 1)]) == [True]
    await store.close()


async def test_a_transaction_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    await store.start()
    broken = a_commit("dispatch/0", 2, causes=(b"not text",))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        await store.append([a_commit("dispatch/0", 1), broken])
    assert await store.tail("dispatch/0", 0) == []
    assert await store.append([a_commit("dispatch/0", 1)]) == [True]
    await store.close()


async def test_a_file_that_is_no_database_is_not_worth_a_retry(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"no database" * 1_000)
    store = SqliteStore(path)
    with pytest.raises(StoreError) as caught:
        await store.start()
    assert not isinstance(caught.value, StoreUnavailable)
    await store.close()


async def test_a_place_that_cannot_be_written_yet_is_unavailable(tmp_path: Path) -> None:
    place = tmp_path / "data"
    place.write_text("a file where the directory belongs")
    store = SqliteStore(place / "store.db")
    with pytest.raises(StoreUnavailable):
        await store.start()
    place.unlink()
    await store.start()
    await store.close()


async def test_a_store_that_was_not_started_says_so(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    with pytest.raises(RuntimeError, match="start the store first"):
        await store.tail("dispatch/0", 0)
    await store.close()
    await store.close()
