"""A new pack: what is open stays at its desk and is served there, what is new goes by the new pack."""

from typing import Any

import pytest

from services.dispatch.turn import Rules
from shared.contracts import IncidentClosed, IncidentOpened
from shared.contracts.values import GeoPoint
from shared.contracts.view import Lifecycle
from shared.pack import Pack, PackError
from tests.dispatch.stage import EMS, NEXT, PACK, POLICE, TRIAGE, Stage, a_report, only

RULES = Rules(PACK)


def pack(**fields: Any) -> Pack:
    """The stage's pack with other fields."""
    return Pack.model_validate(PACK.model_dump() | fields)


def without(*gone: str) -> Pack:
    """The stage's pack without some desks and their units."""
    desks = [desk.model_dump() | {"partner": None} for desk in PACK.desks if desk.code not in gone]
    return pack(desks=desks, units=[unit.model_dump() for unit in PACK.units if unit.desk not in gone])


def opened(stage: Stage, **fields: Any) -> str:
    """Report a theft; return the incident's id."""
    stage.report(**fields)
    return stage.said(IncidentOpened)[-1].incident_id


def change(stage: Stage, rules: Rules) -> None:
    """Let the stage's desks go by other rules from now on."""
    stage.desks.use(rules)


def test_an_open_incident_stays_at_a_desk_that_is_gone_and_is_finished_there() -> None:
    stage = Stage()
    id_ = opened(stage)
    change(stage, RULES.after(without(POLICE)))
    assert id_ in stage.desk(POLICE).incidents
    task = stage.view(id_).tasks[0]
    stage.order("task.acknowledge", task_id=task.task_id, incident_id=id_, unit_id=task.units[0])
    stage.order("task.complete", task_id=task.task_id, incident_id=id_, unit_id=task.units[0])
    assert stage.view(id_).lifecycle is Lifecycle.RESOLVED
    stage.advance(1_000)
    assert [event.incident_id for event in stage.said(IncidentClosed)] == [id_]
    assert {event.view.desk for event in stage.events(id_)} == {POLICE}


def test_a_desk_that_is_gone_still_sends_its_own_units_to_what_is_open() -> None:
    stage = Stage()
    id_ = opened(stage)
    change(stage, RULES.after(without(POLICE)))
    stage.advance(61)  # car-1 does not answer
    assert stage.view(id_).tasks[0].units == ("car-2",)


def test_a_new_incident_is_answered_as_the_new_pack_says() -> None:
    stage = Stage()
    old = opened(stage)
    change(stage, RULES.after(pack(responses={"theft": [{"role": "medical", "kind": "ambulance"}]})))
    new = opened(stage, point=GeoPoint(lat=15.5, lon=101))
    assert [task.desk for task in stage.view(old).tasks] == [POLICE]
    assert [task.desk for task in stage.view(new).tasks] == [EMS]


def test_a_unit_that_would_change_its_desk_is_refused_for_it_could_be_sent_twice() -> None:
    moved = [{**unit.model_dump(), "desk": NEXT if unit.id == "car-1" else unit.desk} for unit in PACK.units]
    with pytest.raises(PackError) as refused:
        RULES.after(pack(units=moved))
    assert refused.value.problems[0].startswith("pack.yaml: units: car-1: it would change its desk")


def test_a_desk_that_comes_back_is_that_of_the_pack_again() -> None:
    back = RULES.after(without(POLICE)).after(PACK)
    assert (back.leaving, back.leaving_units) == ((), ())
    assert [unit.id for unit in back.units_of[POLICE]] == ["car-1", "car-2", "van-1"]


def test_a_desk_that_is_gone_turns_to_one_that_is_there() -> None:
    gone = RULES.after(without(POLICE))
    assert gone.spec(POLICE).agency == "police"
    assert gone.partner(POLICE) == NEXT
    assert gone.after(without(POLICE, NEXT)).partner(POLICE) == TRIAGE


def test_one_report_located_by_two_packs_is_an_incident_of_its_own_at_each_desk() -> None:
    stage = Stage()
    report = a_report(stage)
    for desk in (POLICE, NEXT):
        stage.rehearsal.tell(desk, report.model_copy(update={"desk": desk}), id="located")
    here, there = (only(list(stage.desk(desk).incidents)) for desk in (POLICE, NEXT))
    assert here != there
