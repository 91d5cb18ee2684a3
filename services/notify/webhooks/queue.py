"""One endpoint's queue: a consumer group of its own on the agency's topic, with its own pace.

The topic is the queue: durable, in order, and this group's offset is the endpoint's alone. What fails is
tried again with growing pauses until it is too old; a message that the endpoint refuses, a few times only.
Between attempts the kernel waits in place: the process stays alive and ready, whatever an endpoint does.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic_core import to_json

from services.notify.metrics import NotifyMetrics
from services.notify.webhooks.config import Endpoint
from services.notify.webhooks.outcomes import KIND, Outcomes
from services.notify.webhooks.send import Attempt, Sender
from shared.bus import Emit, Retry
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
        self._trying: Trying | None = None

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
        """Hand `event` to the endpoint and record what became of it. Raises Retry until that is settled."""
        outcomes, clock = await asyncio.shield(self._tools())
        record = await outcomes.of(event)
        if record is None:
            if self._trying is None or self._trying.event_id != event.id:
                self._trying = Trying(event.id)
            if self._trying.record is None:
                attempt = await self._try(event, self._trying, clock)
                self._trying.record = recorded(self._endpoint, event, attempt, clock.now())
            record = await outcomes.decide(event, self._trying.record)
        return [Emit(DELIVERIES, record, record.incident_id, answered_by=self._endpoint.name)]

    async def _try(self, event: Event[EventData], trying: "Trying", clock: Clock) -> Attempt:
        """Return an attempt that settles the event. Raises Retry before it is time, and after a failure."""
        now, name = clock.now(), self._endpoint.name
        if trying.not_before is not None and now < trying.not_before:
            raise Retry("it is not time for the next attempt")
        attempt = await self._sender.attempt(event.id, structured(self._endpoint.agency, event), now)
        if attempt.trouble is None:
            self._metrics.webhooks_delivered.labels(name).inc()
            return attempt
        trying.failed += 1
        self._metrics.webhooks_failed.labels(name, attempt.trouble).inc()
        if now - event.time >= GIVE_UP or (attempt.final and trying.failed >= FINAL_ATTEMPTS):
            self._metrics.webhooks_given_up.labels(name, attempt.trouble).inc()
            return attempt
        pause = PAUSES[min(trying.failed, len(PAUSES)) - 1]
        trying.not_before = clock.now() + timedelta(seconds=pause)
        raise Retry(f"the endpoint did not take it: {attempt.trouble}")


@dataclass(slots=True)
class Trying:
    """The event at the head of the queue: how often it failed, and what became of it if only the store is
    still to be told. A restart begins anew, which costs an attempt at once."""

    event_id: str
    failed: int = 0
    not_before: datetime | None = None
    record: DeliveryRecorded | None = None


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


def recorded(endpoint: Endpoint, event: Event[EventData], attempt: Attempt, at: datetime) -> DeliveryRecorded:
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
        decided_at=at,
        deliveries=(delivery,),
    )
