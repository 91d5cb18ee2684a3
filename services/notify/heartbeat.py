"""A heartbeat a minute on every agency's topic, so that quiet and broken differ.

It is sent by the replica that owns partition 0 of the incidents, while that replica holds nothing up. Its id
and bytes follow from the agency and the minute, so two replicas in a rebalance say one thing.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from aiokafka.errors import KafkaError

from services.notify.agreements import Agreements
from services.notify.book import Book, effective
from services.notify.metrics import NotifyMetrics
from shared.bus import Retry
from shared.bus.publisher import Delivery
from shared.bus.runtime import Runtime
from shared.bus.worker import Worker
from shared.contracts import AgencyHeartbeat, Record, encode
from shared.contracts.ids import derived_id
from shared.contracts.topics import agency_incidents

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=1)
GRACE = timedelta(minutes=2)
"""From one heartbeat to the instant by which the next must have come."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def last_beat(now: datetime) -> datetime:
    """Return the last full minute."""
    return _EPOCH + (now - _EPOCH) // EVERY * EVERY


def due_agencies(book: Book, now: datetime) -> list[str]:
    """Return the agencies that have an agreement in effect, sorted."""
    return sorted(code for code, found in book.agencies.items() if any(effective(a, now) for a in found))


def heartbeat(agency: str, at: datetime, source: str) -> Record:
    """Return the record that says at the full minute `at` that all is well."""
    data = AgencyHeartbeat(agency=agency, sent_at=at, next_by=at + GRACE)
    topic = agency_incidents(agency)
    id_ = derived_id("heartbeat", data.type, agency, int(at.timestamp()))
    return encode(topic.name, topic.key_of(data), data, id=id_, source=source, time=at, traceparent=None)


class Heart:
    """Sends them. An agency whose last one is not acknowledged yet gets no second one behind it."""

    def __init__(self, runtime: Runtime, agreements: Agreements, metrics: NotifyMetrics) -> None:
        self._runtime, self._agreements, self._metrics = runtime, agreements, metrics
        self._source = f"/ruamjai/{runtime.service.name}"
        self._sent: dict[str, Delivery] = {}

    async def beat_for_ever(self) -> None:
        """Send what is due, a minute for a minute."""
        clock = self._runtime.clock
        while True:
            at = last_beat(clock.now())
            try:
                await self.beat(at)
            except (KafkaError, OSError, TimeoutError, Retry) as error:
                log.warning("no heartbeats", extra={"error": repr(error)})
            await clock.sleep(max(0.1, (at + EVERY - clock.now()).total_seconds()))

    async def beat(self, at: datetime) -> None:
        """Send the heartbeats of the full minute `at`, if that is for this replica to do."""
        workers = self._workers()
        if 0 not in workers:
            return
        agencies = due_agencies(self._agreements.book(), at)
        held_up = any(worker.patience.waiting for worker in workers.values())
        for agency in agencies:
            reason = "held_up" if held_up else self._reason(agency)
            if reason is not None:
                self._metrics.heartbeats_missed.labels(agency, reason).inc()
                continue
            record = heartbeat(agency, at, self._source)
            self._sent[agency] = await self._runtime.publisher.publish([record])
            self._metrics.heartbeats.labels(agency).inc()

    def _workers(self) -> Mapping[int, Worker]:
        """Return the partitions of the incidents that this replica decides on."""
        declared = zip(self._runtime.service.subscriptions, self._runtime.consumers, strict=False)
        name = self._runtime.service.name
        return next((consumer.workers for found, consumer in declared if found.group == name), {})

    def _reason(self, agency: str) -> str | None:
        if not self._agreements.outlets.saw(agency):
            return "no_topic"
        last = self._sent.get(agency)
        return "unacknowledged" if last is not None and not last.done else None
