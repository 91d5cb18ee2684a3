"""The probe's two loops: it sends a test report each minute, and follows the stream on which it comes."""

import asyncio
import logging
from itertools import cycle
from uuid import uuid4

import httpx
from aiokafka.errors import KafkaError

from services.probe.metrics import Outcome, ProbeMetrics
from services.probe.sightings import POLL_MS, Sightings, stream
from shared.bus.backoff import Backoff
from shared.bus.runtime import Runtime
from shared.clock import Clock

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
BACK_SECONDS = 30.0
"""How long an incident may take before its report counts as lost."""
ANSWER_SECONDS = 5.0
FIRST_SECONDS = 20.0
"""How long the first report waits for the stream to be followed, at most."""
PRIORITIES = {"urgent": "P1", "ordinary": "P4"}
TEXT = "ทดสอบระบบ ไม่ใช่เหตุจริง (synthetic test report)"


class Rounds:
    """Both loops of one process; `intake` is the base URL of intake's API."""

    def __init__(self, intake: str, metrics: ProbeMetrics) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request says nothing new
        self._intake, self._metrics = intake, metrics
        self._sightings = Sightings()
        self._following = asyncio.Event()
        self._device = f"probe-{uuid4().hex}"

    async def follow(self, runtime: Runtime) -> None:
        """Follow the stream for ever; a fault of the broker means starting over at its end."""
        backoff = Backoff()
        while True:
            try:
                async with stream(runtime.settings) as reader:
                    self._following.set()
                    backoff.reset()
                    while True:
                        for records in (await reader.getmany(timeout_ms=POLL_MS)).values():
                            for record in records:
                                self._sightings.take(record)
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("the stream cannot be followed", extra={"error": repr(error)})
                await backoff.wait()

    async def send(self, runtime: Runtime) -> None:
        """Send a report a minute for ever, on the two lanes in turn."""
        clock = runtime.clock
        await _within(self._following, FIRST_SECONDS)
        async with httpx.AsyncClient(base_url=self._intake, timeout=ANSWER_SECONDS) as client:
            for lane in cycle(PRIORITIES):
                started = clock.monotonic()
                outcome = await self._round(client, lane, clock)
                self._metrics.reports.labels(lane, outcome).inc()
                await clock.sleep(max(0.0, started + EVERY_SECONDS - clock.monotonic()))

    async def _round(self, client: httpx.AsyncClient, lane: str, clock: Clock) -> Outcome:
        sent = clock.monotonic()
        report_id = await self._post(client, lane)
        if report_id is None:
            return Outcome.REFUSED
        try:
            async with asyncio.timeout(clock.real_seconds(BACK_SECONDS)):
                await self._sightings.of(report_id)
        except TimeoutError:
            log.warning("a test report did not come back", extra={"report_id": report_id, "lane": lane})
            return Outcome.LOST
        self._metrics.seconds.labels(lane).observe(clock.monotonic() - sent)
        self._metrics.last_seen.set(clock.now_ms() / 1000)
        return Outcome.SEEN

    async def _post(self, client: httpx.AsyncClient, lane: str) -> str | None:
        """Return the id of an accepted report, or None."""
        headers = {"Idempotency-Key": uuid4().hex, "X-Device-Id": self._device}
        try:
            answer = await client.post("/v1/reports", json=body_of(lane), headers=headers)
            return str(answer.raise_for_status().json()["report_id"])
        except (httpx.HTTPError, ValueError, KeyError) as error:
            log.warning("a test report was not accepted", extra={"error": repr(error), "lane": lane})
            return None


def body_of(lane: str) -> dict[str, str]:
    """Return a test report that takes `lane`. It says no place, so that it is right for every map."""
    return {"text": TEXT, "status": "test", "channel": "probe", "priority": PRIORITIES[lane]}


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
