"""Lets the workers of a process begin their slices one at a time, whoever has the best claim first.

Without it every worker that has enough to do would work through a slice in each turn of the event loop, and
whatever takes several turns, as a fetch, a commit and a record on its way out do, would wait for all of them
each time.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

FAIR_SHARE = 10
"""One in so many goes by waiting time alone."""
LATE_MS = 1_000
BREATHS = 3
"""Turns of the loop between two slices, for what takes several."""


class Hurry(IntEnum):
    """How soon somebody has to go on, the soonest first."""

    VITAL = 0
    LATE = 1
    """It is under way, and has waited for LATE_MS: nothing new should begin beside it."""
    WAITED_FOR = 2
    NOBODY_WAITS = 3


class Claim(NamedTuple):
    """What somebody has to go on with: the least goes first, and of equal ones the first to come."""

    hurry: Hurry
    since_ms: float = 0.0
    """Since when it has waited, in milliseconds of the epoch, where that decides."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    gone_on: asyncio.Future[bool]
    claim: Callable[[], Claim]


class Turnstile:
    """At most one goes through in each turn of the event loop."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._shut = False
        self._passed = 0
        self._breaths = 0

    async def go_through(self, claim: Callable[[], Claim]) -> bool:
        """Return when it is the caller's turn, which depends on its `claim` by then; whether it may begin.

        Nothing new should, while something that is under way is late.
        """
        loop = asyncio.get_running_loop()
        if not self._shut:
            self._shut = True
            loop.call_soon(self._open)
            return True
        waiting = _Waiting(loop.create_future(), claim)
        self._waiting.append(waiting)
        return await waiting.gone_on

    def _open(self) -> None:
        """Let the next one through, in the loop's next turn; open where nobody waits."""
        self._waiting = [waiting for waiting in self._waiting if not waiting.gone_on.done()]  # or cancelled
        if not self._waiting:
            self._shut = False
            return
        self._breaths += 1
        if self._breaths > BREATHS:
            self._breaths = 0
            self._let_through()
        asyncio.get_running_loop().call_soon(self._open)

    def _let_through(self) -> None:
        self._passed += 1
        claims = [waiting.claim() for waiting in self._waiting]
        first = 0 if self._passed % FAIR_SHARE == 0 else claims.index(min(claims))
        late = any(claim.hurry is Hurry.LATE for claim in claims)
        self._waiting.pop(first).gone_on.set_result(not late)
