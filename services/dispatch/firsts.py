"""What was made first under an identity is what everybody gets who asks again, for a while."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.store import Document, Store, StoreUnavailable
from shared.store.expiry import Expiry


class Made(BaseModel):
    """Base of what is made, and when."""

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime


M = TypeVar("M", bound=Made)


class Firsts(Generic[M]):
    """The documents of one kind, each inserted once and `kept` since it was made."""

    def __init__(self, store: Store, kind: str, model: type[M], kept: timedelta) -> None:
        self._documents, self._expiry = store.documents(kind), Expiry(store)
        self._kind, self._model, self._kept = kind, model, kept

    async def first(self, id_: str, make: Callable[[], Awaitable[M]]) -> M:
        """Return what was made first under `id_`; `make` makes it, if nothing was.

        Raises StoreUnavailable, and what `make` raises.
        """
        known = await self._find(id_)
        if known is None:
            made = await make()
            await self._expiry.schedule(self._kind, id_, int(made.at.timestamp() * 1000), self._kept)
            [ours] = await self._documents.insert([Document(id_, made.model_dump_json().encode())])
            known = made if ours else await self._find(id_)
        if known is None:
            raise StoreUnavailable("it expires at this moment; the next request finds nothing")
        return known

    async def _find(self, id_: str) -> M | None:
        found = await self._documents.get([id_])
        return self._model.model_validate_json(found[id_]) if found else None
