"""One change each to the real services: mistakes that the judge must not let pass."""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from services.dispatch import units
from services.notify import handlers, verdict
from services.notify.fields import GRANTABLE, share
from services.notify.ledger import entries
from shared.bus import Emit
from shared.contracts.values import Sealed
from shared.sealing import KeyRing
from shared.store import Commit, MongoStore

LATE_SECONDS = 3.0


def rule_skipped() -> None:
    """An agreement lets every field through, whatever it grants."""
    _put(verdict, "share", lambda view, _: share(view, GRANTABLE))


def seal_forgotten() -> None:
    """Personal data is encoded and not encrypted."""
    seal = KeyRing.seal

    async def seal_(self: KeyRing, about: str, plaintext: bytes) -> Sealed:
        sealed = await seal(self, about, plaintext)
        return sealed.model_copy(update={"ciphertext": b64encode(plaintext).decode()})

    _put(KeyRing, "seal", seal_)


def unit_double_booked() -> None:
    """A unit that has a task counts as idle."""
    _put(units, "is_idle", lambda *_: True)


def ledger_line_missing() -> None:
    """What goes to several agencies is booked for all but one."""

    def entries_(cause: Any, incident_id: str, deliveries: Sequence[Any], now: Any) -> Iterator[Emit]:
        return entries(cause, incident_id, deliveries[:-1] if len(deliveries) > 1 else deliveries, now)

    _put(handlers, "entries", entries_)


def publish_before_commit() -> None:
    """What was decided goes out at once, and into the log some seconds later."""
    append = MongoStore.append
    later: set[asyncio.Task[None]] = set()

    async def append_(self: MongoStore, commits: Sequence[Commit]) -> list[bool]:
        async def do() -> None:
            await asyncio.sleep(LATE_SECONDS)
            await append(self, commits)

        task = asyncio.create_task(do())
        later.add(task)
        task.add_done_callback(later.discard)
        return [True] * len(commits)

    _put(MongoStore, "append", append_)


def _put(owner: Any, name: str, replacement: Any) -> None:
    assert hasattr(owner, name), f"the services have no {name} any more"
    setattr(owner, name, replacement)


CONTROLS: Mapping[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        rule_skipped,
        seal_forgotten,
        unit_double_booked,
        ledger_line_missing,
        publish_before_commit,
    )
}
