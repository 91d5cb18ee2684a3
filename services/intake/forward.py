"""Brings what was accepted to the bus, urgent first, also what a dead replica left."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from services.intake.metrics import IntakeMetrics
from services.intake.outbox import LANES, ORDINARY, URGENT, Outbox
from services.intake.replicas import PULSE_SECONDS, Replicas
from services.intake.stored import Waiting
from shared.bus import FatalError
from shared.bus.patience import Patience
from shared.bus.publisher import Publisher
from shared.clock import Clock
from shared.store import StoreError
from shared.telemetry import Metrics

YIELD_SECONDS = 0.5
"""How long the ordinary lane lets the urgent one go first before it sends a page all the same."""
LANE_NAMES = {URGENT: "urgent", ORDINARY: "ordinary"}


class Forwarder:
    """Empties the outbox. A record leaves it once the broker has acknowledged it, so none is lost.

    The two lanes go on their own, so that ordinary records the broker does not take hold up no urgent one.
    """

    def __init__(
        self,
        outbox: Outbox,
        replicas: Replicas,
        publisher: Publisher,
        clock: Clock,
        kernel: Metrics,
        metrics: IntakeMetrics,
    ) -> None:
        self._outbox, self._replicas, self._publisher = outbox, replicas, publisher
        self._clock, self._kernel, self._metrics = clock, kernel, metrics
        self._dead: Sequence[str] = ()
        self._urgent_done = asyncio.Event()

    async def run(self) -> None:
        """Forward until cancelled."""
        async with asyncio.TaskGroup() as group:
            for lane in LANES:
                group.create_task(self._lane(lane), name=f"forward {LANE_NAMES[lane]}")
            group.create_task(self._take_over())

    async def _lane(self, lane: str) -> None:
        patience = Patience(self._kernel)
        news = self._outbox.news[lane]
        while True:
            news.clear()
            if lane == ORDINARY:
                await self._let_urgent_go_first()
            sent = await patience.until_done(lambda: self._round(lane))
            if sent:
                continue
            if lane == URGENT:
                self._urgent_done.set()
            await _within(news, PULSE_SECONDS)

    async def _let_urgent_go_first(self) -> None:
        if self._outbox.news[URGENT].is_set():
            self._urgent_done.clear()
        await _within(self._urgent_done, YIELD_SECONDS)

    async def _round(self, lane: str) -> int:
        """Forward a page of ours and of each dead replica; return how many records that was."""
        if lane == URGENT:
            self._urgent_done.clear()
        return sum([await self._page(owner, lane) for owner in (self._outbox.me, *self._dead)])

    async def _page(self, owner: str, lane: str) -> int:
        page = await self._outbox.page(owner, lane)
        if not page:
            return 0
        delivery = await self._publisher.publish([waiting.record() for _, waiting in page])
        await delivery.wait()
        if delivery.refused:
            raise FatalError(f"{delivery.refused[0]} refuses a report: raise its max.message.bytes")
        await self._outbox.forget(place for place, _ in page)
        self._count(lane, [waiting for _, waiting in page], ours=owner == self._outbox.me)
        return len(page)

    def _count(self, lane: str, page: Sequence[Waiting], *, ours: bool) -> None:
        name, now = LANE_NAMES[lane], self._clock.now_ms()
        self._metrics.forwarded.labels(name).inc(len(page))
        for waiting in page:
            self._metrics.forward_seconds.labels(name).observe(max(0, now - waiting.at) / 1000)
        if not ours:
            self._metrics.taken_over.inc(len(page))

    async def _take_over(self) -> None:
        """Keep the pulse, and look who is dead."""
        patience = Patience(self._kernel)
        try:
            while True:
                await patience.until_done(self._look)
                await self._clock.sleep(PULSE_SECONDS)
        finally:
            with suppress(StoreError):
                await self._outbox.tidy()
                await self._replicas.leave()

    async def _look(self) -> None:
        await self._replicas.beat()
        await self._outbox.tidy()
        others = await self._outbox.others()
        dead = await self._replicas.dead(others)
        await self._replicas.bury(set(self._dead) - set(dead) - set(others))
        self._dead = dead


async def _within(event: asyncio.Event, seconds: float) -> None:
    """Wait for `event`, at most so long."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
