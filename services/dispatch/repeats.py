"""A request that is sent again is the same command: what was made of it first is kept for a while."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

from pydantic import BaseModel

from services.dispatch.firsts import Firsts, Made
from shared.contracts import CommandRequested, Record, encode
from shared.contracts.ids import derived_id
from shared.contracts.topics import DESKS_COMMANDS
from shared.store import Store

KIND = "commands_asked"
KEPT = timedelta(hours=72)
SOURCE = "/ruamjai/dispatch/gateway"


class KeyReusedError(Exception):
    """The idempotency key stands for another body."""


class Asked(Made):
    """A command as it goes to its desk, the same bytes each time, and the digest of the request's body."""

    id: str
    command: CommandRequested
    digest: str

    def record(self) -> Record:
        """Return it as it goes out."""
        topic, desk = DESKS_COMMANDS.name, self.command.desk
        return encode(topic, desk, self.command, id=self.id, source=SOURCE, time=self.at, traceparent=None)


class Repeats:
    """The requests that came with an idempotency key."""

    def __init__(self, store: Store) -> None:
        self._firsts = Firsts(store, KIND, Asked, KEPT)

    async def first(
        self, caller: str, key: str | None, digest: str, make: Callable[[], Awaitable[Asked]]
    ) -> Asked:
        """Return what was made of the first request of `caller` with `key`; `make` makes it, if this is it.

        Raises KeyReusedError where that had another digest, StoreUnavailable, and what `make` raises.
        """
        if key is None:
            return await make()
        known = await self._firsts.first(derived_id(caller, KIND, key, 0), make)
        if known.digest != digest:
            raise KeyReusedError
        return known


def digest_of(body: BaseModel) -> str:
    """Return what tells one body from another."""
    return hashlib.sha256(body.model_dump_json().encode()).hexdigest()
