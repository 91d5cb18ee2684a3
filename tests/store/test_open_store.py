"""Addresses of stores, and what each adapter makes sure of before it is used."""

from pathlib import Path

import pytest

from shared.store import MongoStore, SqliteStore, StoreError, open_store
from shared.store.driver import connect
from tests.store.helpers import opened


def test_the_address_says_which_adapter() -> None:
    assert isinstance(open_store("mongodb://somewhere:27017/db?replicaSet=rs"), MongoStore)
    assert isinstance(open_store("sqlite:///store.db"), SqliteStore)


@pytest.mark.parametrize("url", ["sqlite:///:memory:", "sqlite:///"])
def test_a_store_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not durable"):
        open_store(url)


@pytest.mark.parametrize("url", ["postgres://somewhere/db", "store.db", "sqlite://store.db", ""])
def test_an_address_of_no_adapter_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="mongodb://… or sqlite:///path"):
        open_store(url)


async def test_what_follows_the_third_slash_is_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite:///relative/store.db", f"sqlite:///{tmp_path}/absolute/store.db"):
        async with opened(url) as store:
            await store.ping()
    assert {path.parent.name for path in tmp_path.rglob("*.db")} == {"relative", "absolute"}


async def test_a_url_cannot_weaken_what_durable_means() -> None:
    client = connect("mongodb://127.0.0.1:1/db?w=0&journal=false&readPreference=secondary&retryWrites=true")
    assert client.write_concern.document == {"w": "majority", "j": True}
    assert client.read_concern.document == {"level": "majority"}
    assert client.read_preference.mode == 0
    client.close()


@pytest.mark.parametrize("options", ["maxPoolSize=50", "maxPoolSize=0", "socketTimeoutMS=0"])
async def test_a_url_that_lifts_a_bound_is_refused(options: str) -> None:
    with pytest.raises(StoreError, match="unsafe MongoDB options"):
        connect(f"mongodb://127.0.0.1:1/db?{options}")


async def test_the_database_is_ruamjai_unless_the_url_names_one() -> None:
    assert database_of("mongodb://127.0.0.1:1") == database_of("mongodb://127.0.0.1:1/?w=1") == "ruamjai"
    assert database_of("mongodb://127.0.0.1:1/other") == "other"


def database_of(url: str) -> str:
    client = connect(url)
    try:
        return client.get_default_database("ruamjai").name
    finally:
        client.close()
