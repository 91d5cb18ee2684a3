"""The ledger's entries: who was told what of one event, under which agreement, and what was withheld."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from services.notify.verdict import Verdict
from shared.bus import Emit
from shared.contracts import DeliveryRecorded, Event
from shared.contracts.delivery import Delivery, DeliveryOutcome
from shared.contracts.event import EventData
from shared.contracts.ids import derived_id
from shared.contracts.topics import DELIVERIES

MOST = 500
"""Deliveries that one entry holds."""


def delivery_of(verdict: Verdict, proof: str | None) -> Delivery:
    """Return a verdict as the ledger has it; `proof` is the `ce_id` of what went out, if anything did."""
    outcome = DeliveryOutcome.WITHHELD if verdict.shared is None else DeliveryOutcome.DELIVERED
    return Delivery(
        recipient=verdict.agency,
        channel="topic",
        outcome=outcome,
        reason=verdict.reason,
        agency=verdict.agency,
        agreement_id=verdict.agreement_id,
        agreement_version=verdict.version,
        withheld=verdict.withheld,
        proof=proof,
    )


def told(agency: str, proof: str | None, reason: str | None = None) -> Delivery:
    """Return the entry for what an agency is told, or not, whatever its agreement says."""
    outcome = DeliveryOutcome.DELIVERED if reason is None else DeliveryOutcome.WITHHELD
    return Delivery(
        recipient=agency, channel="topic", outcome=outcome, reason=reason, agency=agency, proof=proof
    )


def proof(cause: Event[Any], data: EventData, ordinal: int) -> str:
    """Return the `ce_id` that the `ordinal`-th answer to `cause` goes out with."""
    return derived_id(cause.id, data.type, data.subject, ordinal)


def entries(
    cause: Event[Any], incident_id: str, deliveries: Sequence[Delivery], now: datetime
) -> Iterator[Emit]:
    """Yield what the ledger says of `cause`: nothing when nobody was in scope, else one entry (per 500)."""
    rest = iter(deliveries)
    while some := tuple(islice(rest, MOST)):
        entry = DeliveryRecorded(
            status=cause.data.status,
            event_id=cause.id,
            event_type=cause.type,
            incident_id=incident_id,
            decided_at=now,
            deliveries=some,
        )
        yield Emit(DELIVERIES, entry, incident_id)
