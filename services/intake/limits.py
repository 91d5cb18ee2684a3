"""How often somebody may ask: token buckets, per caller and for everybody without a key together."""

import math
from collections import OrderedDict
from dataclasses import dataclass

from shared.clock import Clock
from shared.http import Problem

MOST_BUCKETS = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second in the long run, and so many at once."""

    a_second: float
    at_once: int


BY_KEY = Rate(500, 1_000)
BY_DEVICE = Rate(0.5, 10)
ANONYMOUS = Rate(200, 400)
"""All devices together: a device's id costs nothing to make up."""
BY_CODE = Rate(10, 50)


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Limits:
    """The buckets of one process; the least recently used one is forgotten when there are too many."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, who: str, rate: Rate) -> None:
        """Take a token of `who`; raises Problem 429 with the seconds until there is one again."""
        now = self._clock.monotonic()
        bucket = self._buckets.pop(who, None) or _Bucket(rate.at_once, now)
        self._buckets[who] = bucket
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        bucket.tokens = min(rate.at_once, bucket.tokens + (now - bucket.at) * rate.a_second)
        bucket.at = now
        if bucket.tokens < 1:
            wait = max(1, math.ceil((1 - bucket.tokens) / rate.a_second))
            detail = f"too many requests from here; try again in {wait} s"
            raise Problem(429, "too_many", detail, headers={"Retry-After": str(wait)})
        bucket.tokens -= 1
