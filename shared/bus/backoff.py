"""Waiting in place: exponential, capped, with full jitter so that replicas do not knock in step."""

import asyncio
import random
from collections.abc import Iterator

FIRST = 0.05
CAP = 5.0


def delays(first: float = FIRST, cap: float = CAP) -> Iterator[float]:
    """Yield seconds to wait before each next try, for ever."""
    bound = first
    while True:
        yield random.uniform(bound / 2, bound)  # noqa: S311  (spreads load, keeps no secret)
        bound = min(cap, bound * 2)


class Backoff:
    """One wait that grows with each failure in a row."""

    def __init__(self, first: float = FIRST, cap: float = CAP) -> None:
        self._first, self._cap = first, cap
        self.reset()

    def reset(self) -> None:
        """Start over after a success."""
        self._delays = delays(self._first, self._cap)

    async def wait(self) -> None:
        """Sleep the next delay."""
        await asyncio.sleep(next(self._delays))
