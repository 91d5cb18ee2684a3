"""One endpoint's queue: a consumer group of its own on the agency's topic, with its own pace.

The topic is the queue: durable, in order, and for this endpoint alone as far as it is concerned. What fails
is tried again with growing pauses until it is too old; what the endpoint judges itself, a few times only.
"""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from pydantic_core import to_json

from services.notify.metrics import NotifyMetrics
from services.notify.webhooks.config import Endpoint
from services.notify.webhooks.outcomes import KIND, Outcomes
from services.notify.webhooks.send import Attempt, Sender
from shared.bus import Emit
from shared.bus.patience import Patience
from shared.bus.runtime import Runtime
from shared.clock import Clock
from shared.contracts import (
    CommandAccepted,
    CommandRefused,
    DeliveryRecorded,
    Event,
    EventData,
    IncidentShared,
    ReportErased,
    encode,
)
from shared.contracts.delivery import Delivery, DeliveryOutcome
from shared.contracts.kafka import to_structured
from shared.contracts.topics import DELIVERIES, agency_incidents

PAUSES = (1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)
"""Seconds between attempts; the last one goes on."""
GIVE_UP = timedelta(days=3)
"""Age at which an event is not tried again."""
FINAL_ATTEMPTS = 4
TIDY_SECONDS = 24 * 3600.0


class Queue:
    """Takes the agency's events one after the other; each ends taken, or given up, and in the ledger."""

    def __init__(self, endpoint: Endpoint, sender: Sender, metrics: NotifyMetrics) -> None:
        self._endpoint, self._sender, self._metrics = endpoint, sender, metrics
        self._opened: asyncio.Future[tuple[Outcomes, Clock]] | None = None
        self._last: tuple[str, DeliveryRecorded] | None = None

    def _tools(self) -> "asyncio.Future[tuple[Outcomes, Clock]]":
        if self._opened is None:
            self._opened = asyncio.get_running_loop().create_future()
        return self._opened

    def open(self, outcomes: Outcomes, clock: Clock) -> None:
        """Begin; what was taken before waits for it."""
        self._tools().set_result((outcomes, clock))

    async def run(self, runtime: Runtime) -> None:
        """Open the queue, and keep what it remembers small, until cancelled."""
        assert runtime.store is not None
        outcomes = Outcomes(runtime.store.documents(KIND), self._endpoint.name)
        self.open(outcomes, runtime.clock)
        while True:
            await Patience(runtime.metrics).until_done(lambda: outcomes.tidy(runtime.clock.now()))
            await runtime.clock.sleep(TIDY_SECONDS)

    async def deliver(
        self, event: Event[IncidentShared | ReportErased | CommandAccepted | CommandRefused]
    ) -> Iterable[Emit]:
        """Hand `event` to the endpoint, however long it takes, and record what became of it."""
        outcomes, clock = await asyncio.shield(self._tools())
        record = await outcomes.of(event)
        if record is None:
            if self._last is None or self._last[0] != event.id:  # else it is only the store that was away
                attempt = await self._until_settled(event, clock)
                self._last = event.id, recorded(self._endpoint, event, attempt, clock)
            record = await outcomes.decide(event, self._last[1])
        return [Emit(DELIVERIES, record, record.incident_id)]

    async def _until_settled(self, event: Event[EventData], clock: Clock) -> Attempt:
        body, count, name = structured(self._endpoint.agency, event), 0, self._endpoint.name
        while True:
            now = clock.now()
            attempt = await self._sender.attempt(event.id, body, now)
            if attempt.trouble is None:
                self._metrics.webhooks_delivered.labels(name).inc()
                return attempt
            count += 1
            self._metrics.webhooks_failed.labels(name, attempt.trouble).inc()
            if now - event.time >= GIVE_UP or (attempt.final and count >= FINAL_ATTEMPTS):
                self._metrics.webhooks_given_up.labels(name, attempt.trouble).inc()
                return attempt
            await clock.sleep(PAUSES[min(count, len(PAUSES)) - 1])


def structured(agency: str, event: Event[EventData]) -> bytes:
    """Return the very event that is on the agency's topic as CloudEvents JSON (structured mode)."""
    topic = agency_incidents(agency)
    record = encode(
        topic.name,
        topic.key_of(event.data),
        event.data,
        id=event.id,
        source=event.source,
        time=event.wire_time or event.time,
        traceparent=event.traceparent,
    )
    return to_json(to_structured(record))


def recorded(endpoint: Endpoint, event: Event[EventData], attempt: Attempt, clock: Clock) -> DeliveryRecorded:
    """Return the ledger's entry for an event that is settled; the proof is the status and the webhook-id."""
    data = event.data
    delivery = Delivery(
        recipient=f"webhook:{endpoint.name}",
        channel="webhook",
        outcome=DeliveryOutcome.DELIVERED if attempt.trouble is None else DeliveryOutcome.FAILED,
        reason=attempt.trouble,
        agency=endpoint.agency,
        agreement_id=getattr(data, "agreement_id", None),
        agreement_version=getattr(data, "agreement_version", None),
        proof=f"status={attempt.status or 'none'};webhook-id={event.id}",
    )
    return DeliveryRecorded(
        status=data.status,
        event_id=event.id,
        event_type=event.type,
        incident_id=getattr(data, "incident_id", None) or data.subject,
        decided_at=clock.now(),
        deliveries=(delivery,),
    )
