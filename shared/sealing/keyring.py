"""Seals personal data with AES-GCM; keys are wrapped by a master key, in a database of their own."""

from base64 import b64decode, b64encode
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.contracts.values import Sealed
from shared.settings import ConfigurationError, Settings
from shared.store import Document, Documents, GroupCommit, Store, open_store

KIND = "keys"
KEY_BYTES = 32
NONCE_BYTES = 12


class KeyErasedError(Exception):
    """The block's key does not exist (any more), so nobody can read it."""


class KeyRing:
    """Keys by the id of what they are about, such as a report. `keys` are documents of the keys' own store.

    Every method raises StoreUnavailable when that store is away.
    """

    def __init__(self, keys: Documents, master_key: bytes) -> None:
        self._keys = keys
        self._together = GroupCommit(keys.insert)
        self._master = AESGCM(master_key)

    async def seal(self, about: str, plaintext: bytes) -> Sealed:
        """Encrypt `plaintext` (at most 48 KiB) under the key of `about`, made now unless there is one.

        The key is durable when this returns. The id is authenticated: a block cannot pass for another's.
        """
        key = token_bytes(KEY_BYTES)
        if not await self._together.write(Document(about, self._wrapped(about, key))):
            key = await self._key(about)
        nonce = token_bytes(NONCE_BYTES)
        ciphertext = AESGCM(key).encrypt(nonce, plaintext, about.encode())
        return Sealed(key_id=about, nonce=_base64(nonce), ciphertext=_base64(ciphertext))

    async def unseal(self, sealed: Sealed) -> bytes:
        """Return what was sealed. Raises KeyErasedError, and ValueError for a block that was changed."""
        key = await self._key(sealed.key_id)
        nonce, ciphertext = b64decode(sealed.nonce), b64decode(sealed.ciphertext)
        return _decrypted(AESGCM(key), nonce, ciphertext, sealed.key_id)

    async def erase(self, key_id: str) -> None:
        """Delete a key for good; what it sealed cannot be read again. Idempotent."""
        await self._keys.delete([key_id])

    def _wrapped(self, key_id: str, key: bytes) -> bytes:
        nonce = token_bytes(NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, key, key_id.encode())

    async def _key(self, key_id: str) -> bytes:
        wrapped = (await self._keys.get([key_id])).get(key_id)
        if wrapped is None:
            raise KeyErasedError(f"there is no key {key_id}")
        return _decrypted(self._master, wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], key_id)


def open_keyring(settings: Settings) -> tuple[Store, KeyRing]:
    """Return the keys' store, to be started and closed by the caller, and the key ring on it.

    Raises ConfigurationError unless KEYS_URL, of a store other than the service's, and MASTER_KEY are set.
    """
    if settings.keys_url is None or settings.master_key is None:
        raise ConfigurationError("personal data is sealed here: set KEYS_URL and MASTER_KEY")
    if settings.keys_url == settings.store_url:
        raise ConfigurationError("KEYS_URL must be a database of its own, not the service's store")
    store = open_store(settings.keys_url)
    return store, KeyRing(store.documents(KIND), b64decode(settings.master_key.get_secret_value()))


def _decrypted(cipher: AESGCM, nonce: bytes, ciphertext: bytes, key_id: str) -> bytes:
    try:
        return cipher.decrypt(nonce, ciphertext, key_id.encode())
    except InvalidTag:
        raise ValueError(f"what is stored under {key_id} was not sealed with this key") from None


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()
