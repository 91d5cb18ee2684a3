"""The windows in which a member of a service can be hit: the kernel's, and those of intake's front door."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from services.intake.accept import Acceptance
from services.intake.outbox import Outbox
from tests.crash import windows
from tests.crash.windows import Scope, Spring

SCOPES = {
    "intake": Scope("intake", ("reports.",)),
    "geo": Scope("geo"),
    "dispatch": Scope("dispatch", ("incidents",)),
    "notify": Scope("notify", ("agency.",)),
}
"""Of the consumers and records of a service those that everything is about."""


def install(order: Path, service: str) -> None:
    """Watch for `order` in every window of `service`."""
    spring = windows.install(order, SCOPES[service])
    if service == "intake":
        _decided(spring)
        _durable(spring)
        _acknowledged(spring)


def _decided(spring: Spring) -> None:
    """`decide-outbox`: the decision on a report is durable, nothing is in the outbox."""
    finish = Acceptance._finish

    async def finish_(self: Acceptance, *arguments: Any) -> None:
        spring("decide-outbox")
        await finish(self, *arguments)

    _put(Acceptance, "_finish", finish_)


def _durable(spring: Spring) -> None:
    """`durable-answer`: a report is durable, and nobody has been told so."""
    accept = Acceptance.accept

    async def accept_(self: Acceptance, request: Any) -> Any:
        accepted = await accept(self, request)
        spring("durable-answer")
        return accepted

    _put(Acceptance, "accept", accept_)


def _acknowledged(spring: Spring) -> None:
    """`acknowledge-forget`: the broker has what is still in the outbox."""
    forget = Outbox.forget

    async def forget_(self: Outbox, places: Iterable[str]) -> None:
        found = list(places)
        spring("acknowledge-forget")
        await forget(self, found)

    _put(Outbox, "forget", forget_)


def _put(owner: type, name: str, function: Any) -> None:
    setattr(owner, name, function)
