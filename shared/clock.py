"""The one source of time, so that a replay can run fast and a test can turn the hands itself."""

import asyncio
import heapq
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Protocol

from shared.settings import Settings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Clock(Protocol):
    """What code may ask of time. All durations are the clock's own seconds."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""

    def now_ms(self) -> int:
        """The current instant in whole milliseconds since the Unix epoch."""

    def monotonic(self) -> float:
        """Seconds since some fixed point; never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Returns after `seconds`; zero or less only gives way to other tasks."""

    def real_seconds(self, seconds: float) -> float:
        """How long `seconds` of this clock really last: what a time-out of the event loop takes."""


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def real_seconds(self, seconds: float) -> float:
        return seconds


class ScaledClock:
    """Time that runs `rate` times as fast as real time and showed `start` at the real instant `anchor`.

    Clocks with equal arguments agree across processes and restarts; without an anchor each counts from its
    own creation. Without `start` the clock showed the anchor itself.
    """

    def __init__(self, rate: float, start: datetime | None = None, anchor: datetime | None = None) -> None:
        self._rate = rate
        self._anchor = anchor or datetime.now(UTC)
        self._start = start or self._anchor

    def now(self) -> datetime:
        return self._start + (datetime.now(UTC) - self._anchor) * self._rate

    def now_ms(self) -> int:
        return (self.now() - _EPOCH) // _MILLISECOND

    def monotonic(self) -> float:
        return time.monotonic() * self._rate

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(self.real_seconds(seconds))

    def real_seconds(self, seconds: float) -> float:
        return seconds / self._rate


class ManualClock:
    """A clock for tests: it stands still until `advance` moves it."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = timedelta()
        self._order = count()
        self._sleepers: list[tuple[timedelta, int, asyncio.Future[None]]] = []

    @property
    def sleeping(self) -> int:
        """How many tasks are asleep: what a test waits for before it advances."""
        return sum(not sleeper.done() for _, _, sleeper in self._sleepers)

    def advance(self, seconds: float) -> None:
        """Moves time on in one step and wakes, in the order they were due, all whose time has come."""
        self._elapsed += timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            _, _, sleeper = heapq.heappop(self._sleepers)
            if not sleeper.done():
                sleeper.set_result(None)

    def now(self) -> datetime:
        return self._start + self._elapsed

    def now_ms(self) -> int:
        return (self.now() - _EPOCH) // _MILLISECOND

    def monotonic(self) -> float:
        return self._elapsed.total_seconds()

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self._elapsed + timedelta(seconds=seconds)
        heapq.heappush(self._sleepers, (due, next(self._order), sleeper))
        await sleeper

    def real_seconds(self, seconds: float) -> float:
        return min(seconds, 0.01)  # the hands may be moved at any moment


def clock_from(settings: Settings) -> Clock:
    """The clock that CLOCK_RATE, CLOCK_ANCHOR and CLOCK_START ask for."""
    if settings.clock_rate == 1 and settings.clock_start is None:
        return SystemClock()
    return ScaledClock(settings.clock_rate, settings.clock_start, settings.clock_anchor)
