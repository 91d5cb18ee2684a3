"""What became of each event at one endpoint: decided once by an insert, so that a redo says the same."""

from datetime import datetime, timedelta

from shared.contracts import DeliveryRecorded, Event
from shared.contracts.event import EventData
from shared.contracts.kafka import dump
from shared.store import Document, Documents

KIND = "webhook_outcomes"
KEPT = timedelta(days=40)
"""Longer than the agency's topic, from which an event might be read again."""
PAGE = 500


class Outcomes:
    """One endpoint's part of the documents. Their identities begin with the event's day."""

    def __init__(self, documents: Documents, endpoint: str) -> None:
        self._documents, self._prefix = documents, f"{endpoint}/"

    def _id(self, event: Event[EventData]) -> str:
        return f"{self._prefix}{event.time.date().isoformat()}/{event.id}"

    async def of(self, event: Event[EventData]) -> DeliveryRecorded | None:
        """Return what became of `event`, None while nothing has. Raises StoreUnavailable."""
        id_ = self._id(event)
        body = (await self._documents.get([id_])).get(id_)
        return None if body is None else DeliveryRecorded.model_validate_json(body)

    async def decide(self, event: Event[EventData], record: DeliveryRecorded) -> DeliveryRecorded:
        """Make `record` what became of `event`, and return it; the earlier one if there is one."""
        if (await self._documents.insert([Document(self._id(event), dump(record))]))[0]:
            return record
        return await self.of(event) or record

    async def tidy(self, now: datetime) -> None:
        """Forget what is older than any redo."""
        before = f"{self._prefix}{(now - KEPT).date().isoformat()}"
        while found := [d.id for d in await self._documents.scan(self._prefix, "", PAGE) if d.id < before]:
            await self._documents.delete(found)
