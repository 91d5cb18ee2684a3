"""A request that is sent again is the same command: what was made of it first is kept for a while."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.contracts import CommandRequested, Record, encode
from shared.contracts.ids import derived_id
from shared.contracts.topics import DESKS_COMMANDS
from shared.store import Document, Store, StoreUnavailable
from shared.store.expiry import Expiry

KIND = "commands_asked"
KEPT = timedelta(hours=72)
SOURCE = "/ruamjai/dispatch/gateway"


class KeyReusedError(Exception):
    """The idempotency key stands for another body."""


class Asked(BaseModel):
    """A command as it goes to its desk, the same bytes each time, and the digest of the request's body."""

    model_config = ConfigDict(frozen=True)

    id: str
    at: AwareDatetime
    command: CommandRequested
    digest: str

    def record(self) -> Record:
        """Return it as it goes out."""
        topic, desk = DESKS_COMMANDS.name, self.command.desk
        return encode(topic, desk, self.command, id=self.id, source=SOURCE, time=self.at, traceparent=None)


class Repeats:
    """The requests that came with an idempotency key."""

    def __init__(self, store: Store) -> None:
        self._asked, self._expiry = store.documents(KIND), Expiry(store)

    async def first(
        self, caller: str, key: str | None, digest: str, make: Callable[[], Awaitable[Asked]]
    ) -> Asked:
        """Return what was made of the first request of `caller` with `key`; `make` makes it, if this is it.

        Raises KeyReusedError where that had another digest, StoreUnavailable, and what `make` raises.
        """
        if key is None:
            return await make()
        id_ = derived_id(caller, KIND, key, 0)
        known = await self._find(id_)
        if known is None:
            made = await make()
            await self._expiry.schedule(KIND, id_, int(made.at.timestamp() * 1000), KEPT)
            [ours] = await self._asked.insert([Document(id_, made.model_dump_json().encode())])
            known = made if ours else await self._find(id_)
        if known is None:
            raise StoreUnavailable("the key expires at this moment; the next request finds it free")
        if known.digest != digest:
            raise KeyReusedError
        return known

    async def _find(self, id_: str) -> Asked | None:
        found = await self._asked.get([id_])
        return Asked.model_validate_json(found[id_]) if found else None


def digest_of(body: BaseModel) -> str:
    """Return what tells one body from another."""
    return hashlib.sha256(body.model_dump_json().encode()).hexdigest()
