"""Personal data under a key per report: whoever deletes the key has erased the person everywhere."""

from shared.sealing.keyring import KeyErasedError, KeyRing, open_keyring

__all__ = ["KeyErasedError", "KeyRing", "open_keyring"]
