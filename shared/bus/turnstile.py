"""Lets the workers of a process begin their slices one at a time, whoever has something vital first.

Without it every worker that has enough to do would work through a slice in each turn of the event loop, and
whatever takes several turns, as a fetch, a commit and a record on its way out do, would wait for all of them
each time.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

FAIR_SHARE = 10
"""One in so many goes by waiting time alone."""
BREATHS = 3
"""Turns of the loop between two slices, for what takes several."""


class Hurry(IntEnum):
    """How soon somebody has to go on, the soonest first."""

    VITAL = 0
    WAITED_FOR = 1
    NOBODY_WAITS = 2


@dataclass(frozen=True, slots=True)
class _Waiting:
    gone_on: asyncio.Future[None]
    hurry: Callable[[], Hurry]


class Turnstile:
    """At most one goes through in each turn of the event loop."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._shut = False
        self._passed = 0
        self._breaths = 0

    async def go_through(self, hurry: Callable[[], Hurry]) -> None:
        """Return when it is the caller's turn, which depends on its `hurry` by then."""
        loop = asyncio.get_running_loop()
        if not self._shut:
            self._shut = True
            loop.call_soon(self._open)
            return
        waiting = _Waiting(loop.create_future(), hurry)
        self._waiting.append(waiting)
        await waiting.gone_on

    def _open(self) -> None:
        """Let the next one through, in the loop's next turn; open where nobody waits."""
        self._waiting = [waiting for waiting in self._waiting if not waiting.gone_on.done()]  # or cancelled
        if not self._waiting:
            self._shut = False
            return
        self._breaths += 1
        if self._breaths > BREATHS:
            self._breaths = 0
            self._waiting.pop(self._next()).gone_on.set_result(None)
        asyncio.get_running_loop().call_soon(self._open)

    def _next(self) -> int:
        self._passed += 1
        if self._passed % FAIR_SHARE == 0:
            return 0
        return min(range(len(self._waiting)), key=lambda place: self._waiting[place].hurry())
