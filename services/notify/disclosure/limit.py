"""Bounds how often one caller may ask, so that a stolen key cannot empty the archive in a minute."""

from collections.abc import Callable

PER_MINUTE = 60.0
BURST = 30.0


class Limit:
    """A bucket of tokens per caller, refilled by the clock; only who has a key is a caller."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, caller: str) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        now = self._monotonic()
        tokens, at = self._buckets.get(caller, (BURST, now))
        tokens = min(BURST, tokens + (now - at) * PER_MINUTE / 60)
        if tokens < 1:
            return (1 - tokens) * 60 / PER_MINUTE
        self._buckets[caller] = tokens - 1, now
        return 0.0
