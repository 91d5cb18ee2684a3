"""The read model: which reports belong to which incident, and their sealed blocks, still sealed."""

from collections.abc import Sequence

from pydantic_core import to_json

from services.notify.book import area_of
from services.notify.disclosure.judge import Known
from shared.contracts import Event, EventData, ReportErased, ReportReceived
from shared.contracts.incident import IncidentEvent
from shared.contracts.values import Sealed
from shared.store import Document, Documents, Store

INCIDENTS, BLOCKS = "disclosure_incidents", "disclosure_blocks"
ERASED = b"null"


def known_of(data: IncidentEvent) -> Known:
    """Return what is to be known of an incident after an event."""
    reports = tuple(r.report_id for r in data.view.reports if not r.suggested)
    return Known(
        seq=data.seq,
        status=data.status,
        category=data.view.category,
        area=area_of(data.view.place),
        reports=reports,
    )


class Records:
    """Kept in the service's store, so that every replica answers alike. Raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._incidents: Documents = store.documents(INCIDENTS)
        self._blocks: Documents = store.documents(BLOCKS)

    async def take(self, events: Sequence[Event[EventData]]) -> None:
        """Note what `events` say; an erased block is never written again."""
        bodies = [event.data for event in events]
        numbered = [body for body in bodies if isinstance(body, IncidentEvent)]
        numbered.sort(key=lambda body: body.seq)  # of one incident the newest is noted
        newest = {body.incident_id: body for body in numbered}
        await self._take_incidents({id_: known_of(body) for id_, body in newest.items()})
        blocks = [b for b in bodies if isinstance(b, ReportReceived) and b.sealed is not None]
        if blocks:
            await self._blocks.insert([Document(b.report_id, to_json(b.sealed)) for b in blocks])
        if erased := [b.report_id for b in bodies if isinstance(b, ReportErased)]:
            await self._blocks.put([Document(id_, ERASED) for id_ in erased])

    async def _take_incidents(self, found: dict[str, Known]) -> None:
        before = await self._incidents.get(list(found)) if found else {}
        newer = [
            Document(id_, known.model_dump_json().encode())
            for id_, known in found.items()
            if id_ not in before or Known.model_validate_json(before[id_]).seq < known.seq
        ]
        if newer:
            await self._incidents.put(newer)

    async def incident(self, incident_id: str) -> Known | None:
        """Return what is known of an incident."""
        found = (await self._incidents.get([incident_id])).get(incident_id)
        return None if found is None else Known.model_validate_json(found)

    async def block(self, report_id: str) -> Sealed | None:
        """Return a report's sealed block, None where it has none or it was erased."""
        found = (await self._blocks.get([report_id])).get(report_id, ERASED)
        return None if found == ERASED else Sealed.model_validate_json(found)
