"""The document port: small bodies under identities, for what has no order and no state to fold."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.store.records import MAX_BODY_BYTES, check_size

_ID = re.compile(r"[!-~]{1,512}").fullmatch
_KIND = re.compile(r"[a-z][a-z_]{0,31}").fullmatch
ABOVE = "\x7f"
"""Sorts after every character an identity may have."""


@dataclass(frozen=True, slots=True)
class Document:
    """A body that is opaque to the store, at most 1 MiB, under an identity of printable ASCII.

    Raises ValueError when it could not be stored.
    """

    id: str
    body: bytes

    def __post_init__(self) -> None:
        if not _ID(self.id):
            raise ValueError("the identity of a document is 1 to 512 printable ASCII characters, no spaces")
        check_size(f"body of document {self.id}", self.body, MAX_BODY_BYTES)


class Documents(Protocol):
    """The documents of one kind. Faults and durability are those of the store, see `Store`.

    Each document is atomic, there is no order between those of one call. `put` is for a document's single
    owner; writers that compete use `insert`.
    """

    async def insert(self, documents: Sequence[Document]) -> list[bool]:
        """Insert each document whose identity is free, in one round trip; True for each that was.

        False: taken, by somebody else or by an earlier attempt of our own whose answer was lost.
        """

    async def get(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the bodies of those of `ids` that exist."""

    async def put(self, documents: Sequence[Document]) -> None:
        """Insert or replace; of one identity twice in a call the last counts."""

    async def delete(self, ids: Sequence[str]) -> None:
        """Forget documents, whether they are there or not."""

    async def scan(self, prefix: str = "", after: str = "", limit: int = 100) -> list[Document]:
        """Return the documents whose identity starts with `prefix` and is above `after`, in its byte order.

        Fewer than `limit` mean that there are no more.
        """


def check_kind(kind: str) -> str:
    """Return `kind`; ValueError when it could not be part of a collection's name."""
    if not _KIND(kind):
        raise ValueError("a kind of documents is lower-case letters and underscores, at most 32")
    return kind
