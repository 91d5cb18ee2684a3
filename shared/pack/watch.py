"""Follows the pack in a folder, so that a new one takes no restart."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from shared.pack.digest import digest_of, signature_of
from shared.pack.load import DEMO, PackError
from shared.pack.metrics import Change, PackMetrics
from shared.pack.model import Pack

log = logging.getLogger(__name__)

POLL_SECONDS = 5.0


class HasPack(Protocol):
    """What a service makes of a pack."""

    @property
    def pack(self) -> Pack:
        """The pack it was made of."""


T = TypeVar("T", bound=HasPack)


class PackWatch:
    """The pack in `folder`, and later ones put in its place, also by a link that is switched.

    Make it before the pack is loaded for the first time, so that no change goes unnoticed in between. The
    demonstration pack, where there is no folder, does not change.
    """

    def __init__(self, folder: Path | None, poll_seconds: float = POLL_SECONDS) -> None:
        self.metrics = PackMetrics()
        self._folder, self._poll = folder or DEMO, poll_seconds
        self._signature, self._judged = signature_of(self._folder), digest_of(self._folder)

    async def follow(self, present: T, load: Callable[[Path], T], use: Callable[[T], None]) -> None:
        """Give to `use` what `load`, in a thread, makes of each changed pack; never ends.

        `use` is called on the event loop, between two slices of work. A pack for which `load` raises
        PackError is logged and counted once, and changes nothing.
        """
        self.metrics.use(present.pack.code, self._judged)
        while True:
            await asyncio.sleep(self._poll)
            signature = await asyncio.to_thread(signature_of, self._folder)
            if signature != self._signature and await self._judge(load, use):
                self._signature = signature

    async def _judge(self, load: Callable[[Path], T], use: Callable[[T], None]) -> bool:
        """Take the present pack or refuse it; return whether it stayed the same meanwhile."""
        digest = await asyncio.to_thread(digest_of, self._folder)
        if digest == self._judged:
            return True
        problem = made = None
        try:
            made = await asyncio.to_thread(load, self._folder)
        except PackError as error:
            problem = error
        if await asyncio.to_thread(digest_of, self._folder) != digest:
            return False  # what was read may be half of one and half of another
        self._judged = digest
        if made is None:
            self.metrics.changes.labels(Change.REFUSED).inc()
            log.error("the pack has changed, and the one before stays in use: %s", problem)
        else:
            use(made)
            self.metrics.changes.labels(Change.TAKEN).inc()
            self.metrics.use(made.pack.code, digest)
            log.info("the pack has changed: %s %s is in use", made.pack.code, digest[:12])
        return True
