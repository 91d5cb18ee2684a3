"""Records every request for a sealed block, granted or not, before it is answered."""

import asyncio
from datetime import datetime

from services.notify.disclosure.judge import Ruling
from shared.bus import Retry
from shared.bus.errors import FatalError
from shared.bus.publisher import Delivery as OnItsWay
from shared.bus.publisher import Publisher
from shared.contracts import DeliveryRecorded, encode
from shared.contracts.delivery import Delivery, DeliveryOutcome
from shared.contracts.ids import new_id
from shared.contracts.topics import DELIVERIES

ASKED = "th.ruamjai.disclosure.requested.v1"
"""What the ledger calls a request; it is no event, so nobody reads it anywhere else."""
SECONDS = 5.0


def entry(
    request_id: str,
    agency: str,
    incident_id: str,
    report_id: str,
    purpose: str,
    ruling: Ruling,
    now: datetime,
) -> DeliveryRecorded:
    """Return what the ledger says of a request: by whom, for what, under which agreement, why not."""
    outcome = DeliveryOutcome.DELIVERED if ruling.reason is None else DeliveryOutcome.WITHHELD
    delivery = Delivery(
        recipient=agency,
        channel="disclosure",
        outcome=outcome,
        reason=ruling.reason,
        agency=agency,
        agreement_id=ruling.agreement_id,
        agreement_version=ruling.version,
        proof=f"report={report_id};purpose={purpose}",
    )
    return DeliveryRecorded(
        event_id=request_id,
        event_type=ASKED,
        incident_id=incident_id,
        decided_at=now,
        deliveries=(delivery,),
    )


class Ledger:
    """The way to `deliveries`, on the process's own publisher."""

    def __init__(self, publisher: Publisher, source: str) -> None:
        self._publisher, self._source = publisher, source

    async def record(
        self, agency: str, incident_id: str, report_id: str, purpose: str, ruling: Ruling, now: datetime
    ) -> None:
        """Return once the entry is on the broker. Raises TimeoutError or Retry when it is not in SECONDS."""
        id_ = new_id()
        data = entry(id_, agency, incident_id, report_id, purpose, ruling, now)
        record = encode(
            DELIVERIES.name, incident_id, data, id=id_, source=self._source, time=now, traceparent=None
        )
        async with asyncio.timeout(SECONDS):
            delivery: OnItsWay = await self._publisher.publish([record])
            try:
                await delivery.wait()
            except FatalError as error:
                raise Retry(str(error)) from error
        if delivery.refused:
            raise Retry(f"{DELIVERIES.name} refuses the entry: raise its max.message.bytes")
