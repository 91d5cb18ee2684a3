"""Follows the canonical stream: where each incident is, for the gateway, and when a hand-over may go on."""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from shared.bus import Emit
from shared.contracts import CommandRequested, Event, IncidentHandedOver, Status
from shared.contracts.command import Verb
from shared.contracts.incident import IncidentEvent
from shared.contracts.topics import DESKS_COMMANDS
from shared.contracts.values import DeskCode
from shared.contracts.view import IncidentView
from shared.store import Document, Documents

KIND = "incidents_seen"
MOST_SEQ = 10**12
"""More than an incident ever has, so that all entries have as many digits."""


class Seen(BaseModel):
    """An incident as the stream last showed it, and the desk that is to be asked about it."""

    model_config = ConfigDict(frozen=True)

    desk: DeskCode
    seq: int
    status: Status
    view: IncidentView


class Index:
    """The gateway's read model: incidents by id, in documents of this service's store.

    Each `seq` of an incident has an entry of its own, the newest sorting first, and takes the place of the
    one before: of two replicas that follow an incident for a moment, the late one hides nothing newer.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def find(self, incident_id: str) -> Seen | None:
        """Return what was last seen of an incident."""
        found = await self._documents.scan(f"{incident_id}/", limit=1)
        return Seen.model_validate_json(found[0].body) if found else None

    async def note(self, events: Sequence[IncidentEvent]) -> None:
        """Remember the latest of `events` of each incident; again, or after later ones, changes nothing."""
        latest = {event.incident_id: event for event in sorted(events, key=lambda event: event.seq)}
        await self._documents.insert(
            [
                Document(_entry(id_, event.seq), seen_of(event).model_dump_json().encode())
                for id_, event in latest.items()
            ]
        )
        await self._documents.delete([_entry(event.incident_id, event.seq - 1) for event in events])


def _entry(incident_id: str, seq: int) -> str:
    return f"{incident_id}/{MOST_SEQ - seq}"


def seen_of(event: IncidentEvent) -> Seen:
    """Return what `event` says. While an incident is on its way its old desk is asked, which passes it on."""
    desk = event.from_desk if isinstance(event, IncidentHandedOver) else event.view.desk
    return Seen(desk=desk, seq=event.seq, status=event.status, view=event.view)


def go_on(event: Event[IncidentHandedOver]) -> Iterable[Emit]:
    """Tell the old desk that its last event is on the stream: only now may the new one number the next."""
    data = event.data
    yield Emit(
        DESKS_COMMANDS,
        CommandRequested(
            desk=data.from_desk,
            actor=f"desk:{data.from_desk}",
            verb=Verb.INCIDENT_HAND_OVER,
            incident_id=data.incident_id,
            view=data.view,
            seq=data.seq,
            status=data.status,
        ),
    )
