"""How each fact, kept or published, changes a desk. It depends on nothing but the two."""

from collections.abc import Callable
from dataclasses import replace
from functools import singledispatch

from services.dispatch.facts import (
    DeskAsked,
    Held,
    IncidentLeft,
    ReportDropped,
    ReportTaken,
    TaskDropped,
    TaskKept,
    UnitMissed,
)
from services.dispatch.state import UNHEARD, Desk, Gone, Incident, UnitNow
from services.dispatch.told import Told
from shared.contracts import EventData, UnitStatusChanged
from shared.contracts.incident import IncidentEvent
from shared.contracts.unit import UnitState

MOST_TOLD = 50
"""Reports of one incident that later ones are compared with and that can be unlinked."""
MOST_GONE = 5_000
"""Incidents remembered by id after they left, so that commands about them can be forwarded or refused."""
MOVING = (UnitState.EN_ROUTE, UnitState.ON_SCENE)
Reports = tuple[Told, ...]


def evolve(desk: Desk, fact: EventData) -> Desk:
    """Return `desk`, changed in place, after `fact`."""
    _change(fact, desk)
    return desk


@singledispatch
def _change(fact: EventData, desk: Desk) -> None:
    """Change nothing: outcomes and what is asked of others are for them."""


@_change.register
def _incident(fact: IncidentEvent, desk: Desk) -> None:
    known = desk.incidents.get(fact.incident_id)
    told = known.told if known else ()
    stays = known and known.view.lifecycle is fact.view.lifecycle
    since = known.since if known and stays else fact.seq
    desk.gone.pop(fact.incident_id, None)
    stands = Incident(seq=fact.seq, view=fact.view, status=fact.status, told=told, since=since)
    desk.keep(fact.incident_id, stands)


@_change.register
def _report_taken(fact: ReportTaken, desk: Desk) -> None:
    _retell(desk, fact.incident_id, lambda all_: (*all_, fact.told)[-MOST_TOLD:])


@_change.register
def _report_dropped(fact: ReportDropped, desk: Desk) -> None:
    _retell(desk, fact.incident_id, lambda all_: tuple(t for t in all_ if t.report_id != fact.report_id))


def _retell(desk: Desk, incident_id: str, change: Callable[[Reports], Reports]) -> None:
    if (known := desk.incidents.get(incident_id)) is not None:
        desk.retell(incident_id, change(known.told))


@_change.register
def _task_kept(fact: TaskKept, desk: Desk) -> None:
    desk.keep_task(fact.task)


@_change.register
def _task_dropped(fact: TaskDropped, desk: Desk) -> None:
    desk.drop_task(fact.task_id)


@_change.register
def _unit(fact: UnitStatusChanged, desk: Desk) -> None:
    missed = desk.units.get(fact.unit_id, UNHEARD).missed and fact.state not in MOVING
    desk.units[fact.unit_id] = UnitNow(
        state=fact.state, point=fact.point, task_id=fact.task_id, missed=missed
    )


@_change.register
def _unit_missed(fact: UnitMissed, desk: Desk) -> None:
    now = desk.units.get(fact.unit_id, UNHEARD)
    desk.units[fact.unit_id] = now.model_copy(update={"missed": fact.missed})


@_change.register
def _left(fact: IncidentLeft, desk: Desk) -> None:
    desk.forget(fact.incident_id)
    desk.gone.pop(fact.incident_id, None)
    desk.gone[fact.incident_id] = Gone(seq=fact.seq, to=fact.to)
    while len(desk.gone) > MOST_GONE:
        del desk.gone[next(iter(desk.gone))]


@_change.register
def _held(fact: Held, desk: Desk) -> None:
    gone = desk.gone[fact.incident_id]
    desk.gone[fact.incident_id] = replace(gone, held=(*gone.held, fact.meant))


@_change.register
def _asked(fact: DeskAsked, desk: Desk) -> None:
    desk.gone[fact.incident_id] = replace(desk.gone[fact.incident_id], asked=True, held=())
