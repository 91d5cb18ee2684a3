"""Sealed blocks: readable with their key, unreadable without it, and never in another's place."""

from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from shared.contracts.values import Sealed
from shared.sealing import KeyErasedError, KeyRing, open_keyring
from shared.settings import load_settings
from shared.store import Store

MASTER = bytes(range(32))
SECRET = "สมชาย 0812345678".encode()


@pytest.fixture
def ring(store: Store) -> KeyRing:
    return KeyRing(store.documents("keys"), MASTER)


async def test_what_was_sealed_is_read_with_its_key(ring: KeyRing, store: Store) -> None:
    sealed = await ring.seal("rep-1", SECRET)
    assert SECRET not in b64decode(sealed.ciphertext)
    assert await ring.unseal(sealed) == SECRET
    assert await KeyRing(store.documents("keys"), MASTER).unseal(sealed) == SECRET


async def test_nobody_reads_it_once_the_key_is_erased(ring: KeyRing) -> None:
    sealed, other = await ring.seal("rep-1", SECRET), await ring.seal("rep-2", SECRET)
    await ring.erase("rep-1")
    await ring.erase("rep-1")
    with pytest.raises(KeyErasedError):
        await ring.unseal(sealed)
    assert await ring.unseal(other) == SECRET


async def test_sealing_again_uses_the_same_key_and_another_nonce(ring: KeyRing) -> None:
    first, second = await ring.seal("rep-1", SECRET), await ring.seal("rep-1", SECRET)
    assert first.nonce != second.nonce
    assert first.ciphertext != second.ciphertext
    assert await ring.unseal(first) == await ring.unseal(second) == SECRET


async def test_a_block_does_not_pass_for_another_reports(ring: KeyRing) -> None:
    sealed = await ring.seal("rep-1", SECRET)
    await ring.seal("rep-2", SECRET)
    with pytest.raises(ValueError, match="rep-2"):
        await ring.unseal(sealed.model_copy(update={"key_id": "rep-2"}))


async def test_a_changed_block_or_master_key_is_noticed(ring: KeyRing, store: Store) -> None:
    sealed = await ring.seal("rep-1", SECRET)
    raw = bytearray(b64decode(sealed.ciphertext))
    raw[0] ^= 1
    changed = Sealed(key_id="rep-1", nonce=sealed.nonce, ciphertext=b64encode(raw).decode())
    with pytest.raises(ValueError, match="not sealed"):
        await ring.unseal(changed)
    with pytest.raises(ValueError, match="not sealed"):
        await KeyRing(store.documents("keys"), bytes(32)).unseal(sealed)


async def test_the_store_holds_wrapped_keys_only(ring: KeyRing, store: Store) -> None:
    first, second = await ring.seal("rep-1", SECRET), await ring.seal("rep-2", SECRET)
    bodies = await store.documents("keys").get([first.key_id, second.key_id])
    assert {len(body) for body in bodies.values()} == {12 + 32 + 16}


def settings_with(**more: str) -> dict[str, str]:
    return {"KAFKA_URL": "localhost:9092", **more}


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"KEYS_URL": "sqlite:///keys.db"},
        {"MASTER_KEY": b64encode(MASTER).decode()},
        {
            "KEYS_URL": "sqlite:///a.db",
            "STORE_URL": "sqlite:///a.db",
            "MASTER_KEY": b64encode(MASTER).decode(),
        },
    ],
)
def test_a_key_ring_needs_a_master_key_and_a_store_of_its_own(told: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="KEYS_URL"):
        open_keyring(load_settings("intake", settings_with(**told)))


async def test_the_settings_open_a_key_ring(tmp_path: Path) -> None:
    told = settings_with(KEYS_URL=f"sqlite:///{tmp_path}/keys.db", MASTER_KEY=b64encode(MASTER).decode())
    store, ring = open_keyring(load_settings("intake", told))
    await store.start()
    assert await ring.unseal(await ring.seal("rep-1", SECRET)) == SECRET
    await store.close()
