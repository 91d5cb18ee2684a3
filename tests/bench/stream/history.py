"""Weeks of the desks' past, decided and written to their log at once: incidents that came and went."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Any

from services.dispatch.handlers import Desks
from services.dispatch.turn import Rules
from shared.bus.answers import fired, translate
from shared.bus.commits import Decided, encode_decided
from shared.bus.draft import Draft
from shared.bus.emit import Encoder
from shared.bus.journal import Journal
from shared.bus.partitioner import partition_of
from shared.bus.testing import event_of
from shared.contracts import CommandRequested, Event, ReportLocated
from shared.contracts.ids import new_id
from shared.contracts.report import Reporter
from shared.contracts.topics import REPORTS_LOCATED
from shared.contracts.values import GeoPoint, Place
from shared.contracts.view import Lifecycle
from shared.pack import DeskSpec, Pack
from shared.store import GroupCommit, Store, open_store

PERIOD = timedelta(days=30)
STEP = timedelta(minutes=5)
OPEN = timedelta(minutes=20)
PATIENT = 86_400.0
"""Seconds to acknowledge a task: nothing escalates in this past."""
DEGREES = 0.3
"""How far from a desk its incidents are: few are near another one."""
ENCODER = Encoder("dispatch")


class Past:
    """One partition of the desks' log while it is written; what is decided counts as published."""

    def __init__(self, store: Store, partition: int, desks: Desks) -> None:
        self._desks = desks
        self._journal = Journal(store, GroupCommit(store.append), f"dispatch/{partition}", desks)

    async def step(self, now: datetime, said: Sequence[ReportLocated], desks: Sequence[str]) -> None:
        """Let `desks` hear what was `said` to them by `now`, end what is old, and meet their timers."""
        draft = Draft(round(now.timestamp() * 1000))
        for key, timer in self._journal.fold.due(now):
            if self._journal.fold.runs(timer.due, timer.id, key):
                self._decide(draft, key, fired(timer))
        heard: list[ReportLocated | CommandRequested] = [*said, *self._ends(now, desks)]
        for data in heard:
            self._decide(draft, data.desk, event_of(data, time=now))
        if draft.parts:
            await self._commit(draft)

    def _ends(self, now: datetime, desks: Sequence[str]) -> Iterator[CommandRequested]:
        for desk in desks:
            for id_, held in self._journal.fold[desk].state.incidents.items():
                if held.view.lifecycle is not Lifecycle.CLOSED and held.view.opened_at <= now - OPEN:
                    yield CommandRequested(
                        desk=desk, actor="officer:past", verb="incident.close", incident_id=id_
                    )

    def _decide(self, draft: Draft, key: str, cause: Event[Any]) -> None:
        journal = self._journal
        decisions = self._desks.decide(journal.fold[key].state, cause, draft.now)
        answers = translate(ENCODER, cause, decisions, draft.wire_time, journal.causes, draft.seen)
        decided = Decided(key, cause.id, tuple(answers))
        journal.fold.apply(decided)
        draft.add(decided, encode_decided(decided))

    async def _commit(self, draft: Draft) -> None:
        journal = self._journal
        if not await journal.append(draft.causes, draft.parts, draft.at_ms):
            raise RuntimeError(f"{journal.stream} has another owner")
        journal.published_n = journal.n
        if journal.snapshot_due:
            await journal.save_snapshot(journal.take_snapshot(), draft.at_ms)

    async def begin(self) -> None:
        """Go on from what the log says."""
        await self._journal.load()
        self._journal.published_n = self._journal.n

    async def end(self) -> None:
        """Leave it as a process does that stops."""
        await self._journal.save_head()


async def live_through(store_url: str, pack: Pack, incidents: int, until: datetime) -> None:
    """Give the desks of `pack` a past of thirty days with so many `incidents`."""
    store = open_store(store_url)
    await store.start()
    try:
        desks = Desks(Rules(pack, acknowledge_seconds=PATIENT))
        places = _by_partition(pack)
        pasts = {number: Past(store, number, desks) for number in places}
        for past in pasts.values():
            await past.begin()
        reports, steps = _reports(pack, until), PERIOD // STEP
        for step in range(steps):
            now = until - PERIOD + step * STEP
            said = [
                report.model_copy(update={"received_at": now})
                for report in islice(reports, incidents * (step + 1) // steps - incidents * step // steps)
            ]
            for number, past in pasts.items():
                here = places[number]
                await past.step(now, [report for report in said if report.desk in here], here)
        for past in pasts.values():
            await past.end()
    finally:
        await store.close()


def _by_partition(pack: Pack) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for desk in pack.desks:
        number = partition_of(desk.code.encode(), REPORTS_LOCATED.partitions)
        found.setdefault(number, []).append(desk.code)
    return found


def _reports(pack: Pack, until: datetime) -> Iterator[ReportLocated]:
    dice = random.Random(7)
    for desk in cycle([desk for desk in pack.desks if desk.areas]):
        yield ReportLocated(
            report_id=new_id(),
            received_at=until,
            channel="web",
            reporter=Reporter.CITIZEN,
            category="noise",
            text="เสียงดังรบกวนตั้งแต่หัวค่ำ โทรแจ้งแล้วยังไม่เงียบ",
            point=_near(desk, dice),
            desk=desk.code,
            place=Place(),
        )


def _near(desk: DeskSpec, dice: random.Random) -> GeoPoint:
    east, north = dice.uniform(-DEGREES, DEGREES), dice.uniform(-DEGREES, DEGREES)
    return GeoPoint(lat=desk.point.lat + north, lon=desk.point.lon + east)
