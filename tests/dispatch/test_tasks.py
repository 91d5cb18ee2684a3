"""Who is sent: the nearest suitable idle unit, one task per role at the role's own desk, one incident."""

from typing import Any

import pytest

from services.dispatch.state import Incident
from shared.contracts import (
    CommandAccepted,
    CommandRefused,
    IncidentClosed,
    IncidentOpened,
    Status,
    TaskAcknowledged,
    TaskAssigned,
    TaskCompleted,
    UnitStatusChanged,
)
from shared.contracts.unit import UnitState
from shared.contracts.values import GeoPoint, Place, Priority
from shared.contracts.view import Lifecycle, TaskState
from tests.dispatch.stage import EMS, POLICE, TOWN, TRIAGE, Stage, only


def opened(stage: Stage, category: str = "theft", **fields: Any) -> str:
    """Report something; return the incident's id."""
    stage.report(category, **fields)
    return stage.said(IncidentOpened)[-1].incident_id


def test_the_nearest_unit_of_the_right_kind_is_sent() -> None:
    stage = Stage()
    view = stage.view(opened(stage))
    assert only(list(view.tasks)).units == ("car-1",)
    assert view.lifecycle is Lifecycle.ASSIGNED
    assert stage.desk().units["car-1"].state is UnitState.ASSIGNED


def test_a_test_ties_up_nobody_and_ends_by_itself() -> None:
    stage = Stage()
    tested = opened(stage, status=Status.TEST)
    assert stage.view(tested).lifecycle is Lifecycle.RESOLVED
    stage.advance(900)
    assert stage.view(tested).lifecycle is Lifecycle.CLOSED
    stage.order("incident.reopen", incident_id=tested)
    assert not stage.view(tested).tasks
    assert not stage.said(UnitStatusChanged)


def test_where_a_unit_is_now_counts_and_not_where_the_pack_put_it() -> None:
    stage = Stage()
    stage.order("unit.set_state", unit_id="car-2", point=TOWN)
    assert stage.view(opened(stage)).tasks[0].units == ("car-2",)


@pytest.mark.parametrize("state", [UnitState.UNAVAILABLE, UnitState.OFF_DUTY])
def test_a_unit_that_is_not_available_is_not_sent(state: UnitState) -> None:
    stage = Stage()
    stage.order("unit.set_state", unit_id="car-1", unit_state=state)
    assert stage.view(opened(stage)).tasks[0].units == ("car-2",)


def test_a_brawl_with_injuries_is_two_tasks_at_two_desks_and_one_incident() -> None:
    stage = Stage()
    id_ = opened(stage, "brawl", priority=Priority.P1)
    assert len(stage.said(IncidentOpened)) == 1
    assert [(t.desk, t.agency, t.units) for t in stage.view(id_).tasks] == [
        (POLICE, "police", ("car-1",)),
        (EMS, "ems", ("amb-1",)),
    ]
    assert id_ in stage.desk(POLICE).incidents
    assert stage.desk(EMS).incidents == {}
    assert stage.desk(EMS).units["amb-1"].state is UnitState.ASSIGNED
    assert [event.seq for event in stage.events(id_)] == list(range(1, len(stage.events(id_)) + 1))


def test_only_the_home_desk_numbers_what_the_other_desk_reports() -> None:
    stage = Stage()
    id_ = opened(stage, "brawl", priority=Priority.P1)
    task_id = stage.view(id_).tasks[1].task_id
    for verb in ("task.acknowledge", "task.en_route", "task.on_scene", "task.complete"):
        stage.order(verb, EMS, "agency:ems", incident_id=id_, task_id=task_id)
    assert stage.view(id_).tasks[1].state is TaskState.COMPLETED
    assert stage.view(id_).lifecycle is Lifecycle.ON_SCENE
    assert only(stage.said(TaskAcknowledged)).task_id == task_id
    assert only(stage.said(TaskCompleted)).outcome == "done"
    assert {event.view.desk for event in stage.events(id_)} == {POLICE}
    assert stage.desk(EMS).tasks == {}
    assert stage.desk(EMS).units["amb-1"].state is UnitState.AVAILABLE


def test_an_incident_goes_from_received_to_closed() -> None:
    stage = Stage()
    id_ = opened(stage)
    seen = [stage.events(id_)[0].view.lifecycle, stage.view(id_).lifecycle]
    for verb in ("task.acknowledge", "task.en_route", "task.on_scene", "task.complete"):
        stage.order(verb, incident_id=id_)
        seen.append(stage.view(id_).lifecycle)
    stage.advance(900)
    seen.append(stage.view(id_).lifecycle)
    assert seen == list(Lifecycle)
    assert only(stage.said(IncidentClosed)).outcome == "resolved"
    states = [event.state for event in stage.said(UnitStatusChanged)]
    assert states == [UnitState.ASSIGNED, UnitState.EN_ROUTE, UnitState.ON_SCENE, UnitState.AVAILABLE]


def test_the_most_urgent_task_that_waits_gets_the_next_unit() -> None:
    stage = Stage()
    first = opened(stage, north=0)
    opened(stage, north=3_000)
    ordinary, urgent = opened(stage, north=6_000), opened(stage, north=9_000, priority=Priority.P1)
    assert stage.view(ordinary).tasks[0].units == stage.view(urgent).tasks[0].units == ()
    assert stage.view(urgent).lifecycle is Lifecycle.RECEIVED
    stage.order("task.complete", incident_id=first)
    assert stage.view(urgent).tasks[0].units == ("car-1",)
    assert stage.view(ordinary).tasks[0].units == ()
    assert isinstance(stage.events(urgent)[-1], TaskAssigned)


def test_a_declined_task_goes_to_the_next_unit_at_once() -> None:
    stage = Stage()
    id_ = opened(stage)
    stage.order("task.decline", actor="agency:police", incident_id=id_)
    assert stage.view(id_).tasks[0].units == ("car-2",)
    assert stage.desk().units["car-1"].state is UnitState.AVAILABLE


def test_a_task_may_be_declined_after_it_was_acknowledged() -> None:
    stage = Stage()
    id_ = opened(stage)
    stage.order("task.acknowledge", incident_id=id_)
    stage.advance(61)
    stage.order("task.decline", incident_id=id_)
    assert stage.view(id_).tasks[0].units == ("car-2",)
    assert stage.view(id_).tasks[0].acknowledge_by is not None


def test_a_unit_that_drops_out_gives_its_task_back() -> None:
    stage = Stage()
    id_ = opened(stage)
    stage.order("unit.set_state", unit_id="car-1", unit_state=UnitState.UNAVAILABLE)
    assert stage.view(id_).tasks[0].units == ("car-2",)
    assert stage.desk().units["car-1"].state is UnitState.UNAVAILABLE


def test_a_unit_says_itself_that_it_is_on_its_way() -> None:
    stage = Stage()
    id_ = opened(stage)
    stage.order("unit.set_state", actor="agency:police", unit_id="car-1", unit_state=UnitState.EN_ROUTE)
    assert stage.view(id_).lifecycle is Lifecycle.EN_ROUTE


def test_a_supervisor_puts_a_certain_unit_on_a_task() -> None:
    stage = Stage()
    id_ = opened(stage)
    stage.order("task.assign", incident_id=id_, unit_id="van-1")
    assert stage.view(id_).tasks[0].units == ("van-1",)
    assert stage.desk().units["car-1"].task_id is None


def test_a_supervisor_asks_another_desk_for_help() -> None:
    stage = Stage()
    id_ = opened(stage)
    stage.order("task.assign", incident_id=id_, to_desk=EMS)
    assert stage.view(id_).tasks[-1].units == ("amb-1",)


def test_a_changed_priority_is_known_at_every_desk_with_a_task() -> None:
    stage = Stage()
    id_ = opened(stage, "brawl", priority=Priority.P2)
    stage.order("incident.update", incident_id=id_, priority=Priority.P1, note="มีอาวุธ")
    there = only(list(stage.desk(EMS).tasks.values())).view
    assert there is not None
    assert there.priority is Priority.P1
    assert there.text.endswith("มีอาวุธ")


def test_a_closed_incident_calls_every_unit_off() -> None:
    stage = Stage()
    id_ = opened(stage, "brawl", priority=Priority.P1)
    stage.order("incident.close", incident_id=id_, outcome="hoax")
    assert only(stage.said(IncidentClosed)).outcome == "hoax"
    assert {task.state for task in stage.view(id_).tasks} == {TaskState.CANCELLED}
    for desk in (POLICE, EMS):
        assert stage.desk(desk).tasks == {}
        assert {unit.state for unit in stage.desk(desk).units.values()} == {UnitState.AVAILABLE}


def test_a_report_without_a_place_waits_for_a_person_at_triage() -> None:
    stage = Stage()
    stage.report("brawl", desk=TRIAGE, point=None, place=Place(), priority=Priority.P1)
    id_ = only(stage.said(IncidentOpened)).incident_id
    assert {task.desk for task in stage.view(id_).tasks} == {TRIAGE}
    assert stage.desk(TRIAGE).incidents[id_].seq >= 1


def test_a_desk_the_pack_does_not_know_is_a_triage_desk() -> None:
    stage = Stage()
    stage.report("theft", desk="p-removed", point=None, place=Place())
    assert only(stage.said(IncidentOpened)).view.desk == "p-removed"


def test_a_closed_incident_leaves_the_live_state_and_comes_back_when_reopened() -> None:
    stage = Stage()
    id_ = opened(stage)
    stage.order("incident.close", incident_id=id_)
    stage.advance(3_600)
    assert stage.desk().incidents == {}
    stage.order("incident.update", incident_id=id_, note="ช้าไป")
    assert only(stage.said(CommandRefused)).reason == "incident_closed"
    last = stage.events(id_)[-1]
    stage.order("incident.reopen", incident_id=id_, view=last.view, seq=last.seq)
    assert stage.view(id_).lifecycle is Lifecycle.ASSIGNED
    assert stage.view(id_).tasks[-1].units == ("car-1",)
    assert [e.seq for e in stage.events(id_)] == list(range(1, len(stage.events(id_)) + 1))
    assert isinstance(stage.said(CommandAccepted)[-1], CommandAccepted)


def test_an_incident_that_was_reopened_has_its_whole_quarter_of_an_hour_again() -> None:
    stage = Stage()
    id_ = opened(stage)
    stage.order("incident.resolve", incident_id=id_)
    stage.advance(300)
    stage.order("incident.reopen", incident_id=id_)
    stage.advance(540)
    stage.order("incident.resolve", incident_id=id_)
    stage.order("incident.update", incident_id=id_, note="ตรวจสอบแล้ว")
    stage.advance(899)
    assert not stage.said(IncidentClosed)
    stage.advance(1)
    assert only(stage.said(IncidentClosed)).incident_id == id_


def test_an_incident_that_was_closed_again_stays_for_a_whole_hour() -> None:
    stage = Stage()
    id_ = opened(stage)
    stage.order("incident.close", incident_id=id_)
    stage.advance(600)
    stage.order("incident.reopen", incident_id=id_)
    stage.order("incident.close", incident_id=id_)
    stage.advance(3_599)
    assert id_ in stage.desk().incidents
    stage.advance(1)
    assert id_ not in stage.desk().incidents


def test_an_incident_of_which_an_older_release_noted_no_instant_is_closed_all_the_same() -> None:
    stage = Stage()
    id_ = opened(stage)
    stage.order("incident.resolve", incident_id=id_)
    desk = stage.desk()
    desk.incidents[id_] = Incident.model_validate(desk.incidents[id_].model_dump(exclude={"since"}))
    stage.advance(900)
    assert only(stage.said(IncidentClosed)).incident_id == id_


def test_a_unit_that_moves_is_not_changed_otherwise() -> None:
    stage = Stage()
    id_ = opened(stage)
    stage.order("unit.set_state", unit_id="car-1", point=GeoPoint(lat=16.4, lon=101.1))
    assert stage.desk().units["car-1"].task_id == stage.view(id_).tasks[0].task_id
