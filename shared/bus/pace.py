"""When to let records gather before the next fetch: each fetch costs a round of both client and broker."""

GATHER_SECONDS = 0.002
BUSY = 400.0
"""Records a second from which on they gather; fewer are fetched one by one, as fast as they come."""
MANY = 100
"""A fetch that brings so many was worth its round."""
WEIGHT = 0.2
"""Of the latest fetch in the rate that is estimated."""


class Pace:
    """The rate at which records come, and what follows from it."""

    def __init__(self) -> None:
        self._rate = 0.0
        self._fetched_at = float("-inf")

    def pause(self, records: int, now: float) -> float:
        """Return the seconds to wait after a fetch that brought `records` at `now`, 0 for none."""
        rate = records / max(now - self._fetched_at, 1e-6)
        self._rate += WEIGHT * (min(rate, 10 * BUSY) - self._rate)
        self._fetched_at = now
        return GATHER_SECONDS if self._rate >= BUSY and records < MANY else 0.0
