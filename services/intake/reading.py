"""Intake's own read model of `incidents`: what a reporter may know, and the erasure of who they are."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta

from services.intake.accept import CODE_KEPT, TRACKED
from services.intake.metrics import IntakeMetrics
from services.intake.outbox import Outbox
from services.intake.status import Changes, Followed, Told, changes, status_of
from services.intake.stored import Erasure, Tracked, tracking_id, waiting
from shared.clock import Clock
from shared.contracts import Event, ReportErased
from shared.contracts.ids import derived_id
from shared.contracts.incident import IncidentEvent
from shared.contracts.topics import DESKS_COMMANDS
from shared.contracts.view import Lifecycle
from shared.sealing import KeyRing
from shared.store import Document, Store
from shared.store.expiry import Expiry

FOLLOWED, LINKS, ERASURES = "followed", "links", "erasures"
KEPT = timedelta(days=90)
"""How long a closed incident is remembered here."""
MOST_INCIDENTS = 10
"""A report is linked to one incident; to more only while a link moves."""


class Reading:
    """The documents `followed` (by incident), `links` (`<report>/<incident>`) and `erasures` (by report)."""

    def __init__(
        self, store: Store, keyring: KeyRing, outbox: Outbox, clock: Clock, metrics: IntakeMetrics
    ) -> None:
        self._followed, self._links = store.documents(FOLLOWED), store.documents(LINKS)
        self._erasures, self._tracked = store.documents(ERASURES), store.documents(TRACKED)
        self._keyring, self._outbox, self._clock, self._metrics = keyring, outbox, clock, metrics
        self._expiry = Expiry(store)

    async def follow(self, events: Sequence[Event[IncidentEvent]]) -> None:
        """Take in a run of events. Doing it again changes nothing."""
        found = changes(events)
        await self._followed.put(
            [Document(id_, f.model_dump_json().encode()) for id_, f in found.incidents.items()]
        )
        linked, unlinked = _split(found)
        await self._links.insert([Document(link, b"") for link in linked])
        await self._links.delete(unlinked)
        await self._announce_linked(linked)
        at = max(round(event.time.timestamp() * 1000) for event in events)
        closed = [id_ for id_, f in found.incidents.items() if f.lifecycle is Lifecycle.CLOSED]
        await asyncio.gather(
            *(self._expiry.schedule(FOLLOWED, incident_id, at, KEPT) for incident_id in closed),
            *(self._expiry.schedule(LINKS, link, at, CODE_KEPT) for link in linked),
        )

    async def told(self, code: str) -> Told | None:
        """Return what the holder of a tracking code may know; None for a code that leads nowhere."""
        tracked = await self._find(code)
        if tracked is None:
            return None
        incidents = await self._incidents_of(tracked.report_id)
        erased = await self._erasures.get([tracked.report_id])
        return Told(status=status_of(list(incidents.values())), personal_data_erased=bool(erased))

    async def erase(self, code: str) -> bool:
        """Delete the key of a report's personal data and announce it; False for a code that leads nowhere."""
        tracked = await self._find(code)
        if tracked is None:
            return False
        report_id = tracked.report_id
        await self._keyring.erase(report_id)
        erasure = Erasure(erased_at=self._clock.now(), status=tracked.status)
        if await self._note(report_id, erasure.body()):
            self._metrics.erased.inc()
        await self._announce(report_id, await self._incidents_of(report_id))
        return True

    async def _find(self, code: str) -> Tracked | None:
        id_ = tracking_id(code)
        body = (await self._tracked.get([id_])).get(id_)
        return Tracked.model_validate_json(body) if body is not None else None

    async def _incidents_of(self, report_id: str) -> dict[str, Followed]:
        links = await self._links.scan(f"{report_id}/", limit=MOST_INCIDENTS)
        ids = [link.id.partition("/")[2] for link in links]
        bodies = await self._followed.get(ids) if ids else {}
        return {id_: Followed.model_validate_json(body) for id_, body in bodies.items()}

    async def _announce_linked(self, links: Iterable[str]) -> None:
        """Tell the desks of erasures that came before their report was linked."""
        reports = list({link.partition("/")[0] for link in links})
        for report_id in await self._erasures.get(reports) if reports else ():
            await self._announce(report_id, await self._incidents_of(report_id))

    async def _announce(self, report_id: str, incidents: dict[str, Followed]) -> None:
        """Tell each incident's desk once, and note it; redone, it is the same event, byte for byte.

        An incident that moves takes what its desk was told along, so where it is later makes no difference.
        """
        marks = {f"{report_id}/{incident_id}": incident_id for incident_id in incidents}
        found = await self._erasures.get([report_id, *map(_told, marks)])
        erasure = Erasure.model_validate_json(found[report_id])
        for mark, incident_id in marks.items():
            if _told(mark) in found:
                continue
            desk = await self._whom(mark, incidents[incident_id].desk)
            event = ReportErased(
                status=erasure.status,
                report_id=report_id,
                incident_id=incident_id,
                desk=desk,
                erased_at=erasure.erased_at,
            )
            await self._outbox.put(
                waiting(
                    DESKS_COMMANDS,
                    event,
                    id_=derived_id(mark, event.type, event.subject, 0),
                    now=erasure.erased_at,
                    urgent=True,
                    traceparent=None,
                    since_ms=self._clock.now_ms(),
                )
            )
            await self._note(_told(mark))

    async def _whom(self, mark: str, desk: str) -> str:
        """Return the desk that is told, which is decided once; `desk` if it is now."""
        if await self._note(mark, desk.encode()):
            return desk
        return (await self._erasures.get([mark]))[mark].decode()

    async def _note(self, id_: str, body: bytes = b"") -> bool:
        """Remember something of an erasure for as long as its tracking code; whether it is new."""
        await self._expiry.schedule(ERASURES, id_, self._clock.now_ms(), CODE_KEPT)
        [new] = await self._erasures.insert([Document(id_, body)])
        return new


def _told(mark: str) -> str:
    return f"{mark}/told"


def _split(found: Changes) -> tuple[list[str], list[str]]:
    """Return the identities of the links that hold and of those that do not."""
    ids = {f"{report}/{incident}": holds for (report, incident), holds in found.links.items()}
    return [id_ for id_, holds in ids.items() if holds], [id_ for id_, holds in ids.items() if not holds]
