"""Every command gets exactly one outcome, whoever sends it and whatever it says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.commands import MOST_HELD
from shared.contracts import (
    CommandAccepted,
    CommandRefused,
    CommandRequested,
    EventData,
    IncidentClosed,
    IncidentHandedOver,
    IncidentOpened,
    ReportErased,
    ReportLocated,
    TaskAcknowledged,
)
from shared.contracts.command import CommandOutcome, Verb
from shared.contracts.values import Priority
from shared.contracts.view import Lifecycle, TaskState
from tests.contracts.strategies import body_of
from tests.dispatch.stage import EMS, NEXT, POLICE, Stage, only


def opened(stage: Stage, category: str = "theft", **fields: Any) -> str:
    """Report something; return the incident's id."""
    stage.report(category, **fields)
    return stage.said(IncidentOpened)[-1].incident_id


def refusal(events: list[EventData]) -> str:
    """Why the one command of `events` was refused."""
    return str(only([event for event in events if isinstance(event, CommandRefused)]).reason)


@pytest.mark.parametrize(
    ("verb", "fields", "reason"),
    [
        ("incident.dance", {}, "unknown_verb"),
        ("incident.close", {"incident_id": "nobody"}, "unknown_incident"),
        ("incident.close", {}, "incomplete"),
        ("incident.update", {}, "incomplete"),
        ("incident.reopen", {}, "not_closed"),
        ("incident.link", {"report_id": "nobody"}, "unknown_report"),
        ("incident.unlink", {"report_id": "nobody"}, "unknown_report"),
        ("incident.hand_over", {"to_desk": "nobody"}, "unknown_desk"),
        ("incident.hand_over", {"to_desk": POLICE}, "unknown_desk"),
        ("task.acknowledge", {"task_id": "nobody"}, "unknown_task"),
        ("task.assign", {}, "unknown_desk"),
        ("task.assign", {"unit_id": "nobody"}, "unknown_unit"),
        ("task.assign", {"unit_id": "car-1"}, "unit_busy"),
        ("task.acknowledge", {"unit_id": "car-2"}, "out_of_order"),
        ("unit.set_state", {"unit_id": "nobody"}, "unknown_unit"),
        ("unit.set_state", {"unit_id": "car-1"}, "incomplete"),
        ("unit.set_state", {"unit_id": "car-1", "unit_state": "available"}, "unit_busy"),
        ("unit.set_state", {"unit_id": "car-2", "unit_state": "on_scene"}, "no_task"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    verb: str, fields: dict[str, Any], reason: str
) -> None:
    stage = Stage()
    id_ = opened(stage)
    given = fields if not fields or "incident_id" in fields else {"incident_id": id_} | fields
    if (verb, reason) in {("incident.update", "incomplete"), ("incident.reopen", "not_closed"),
                          ("task.assign", "unknown_desk")}:  # fmt: skip
        given = {"incident_id": id_}
    before = len(stage.events(id_))
    assert refusal(stage.order(verb, **given)) == reason
    assert len(stage.events(id_)) == before


@pytest.mark.parametrize("actor", ["agency:ems", "agency:nobody", "desk:p-lomsak", "stranger", "agency:"])
@pytest.mark.parametrize("verb", ["incident.close", "task.acknowledge", "incident.update", "unit.set_state"])
def test_who_has_no_say_is_refused(actor: str, verb: str) -> None:
    stage = Stage()
    id_ = opened(stage)
    events = stage.order(verb, actor=actor, incident_id=id_, unit_id="car-1", note="x", unit_state="off_duty")
    assert refusal(events) in {"not_allowed", "unknown_task"}
    assert stage.view(id_).lifecycle is Lifecycle.ASSIGNED


def test_a_step_is_never_taken_twice_or_back() -> None:
    stage = Stage()
    id_ = opened(stage)
    stage.order("task.on_scene", incident_id=id_)
    assert refusal(stage.order("task.on_scene", incident_id=id_)) == "out_of_order"
    assert refusal(stage.order("task.acknowledge", incident_id=id_)) == "out_of_order"
    stage.order("task.complete", incident_id=id_)
    assert refusal(stage.order("task.complete", incident_id=id_, task_id=f"{id_}/police/1")) == "task_over"
    assert refusal(stage.order("incident.resolve", incident_id=id_)) == "out_of_order"


def test_a_command_at_the_home_desk_about_another_desks_task_is_decided_there_under_its_own_name() -> None:
    stage = Stage()
    id_ = opened(stage, "brawl", priority=Priority.P1)
    stage.order("task.acknowledge", actor="agency:ems", incident_id=id_)
    outcome = [o for o in stage.said(CommandAccepted) if o.actor == "agency:ems"]
    assert only(outcome).desk == EMS
    assert only([c for c in stage.asked if c.actor == "agency:ems"]).command_id == only(outcome).command_id
    assert only(stage.said(TaskAcknowledged)).task_id == f"{id_}/medical/1"


def test_an_incident_is_handed_over_with_its_numbers_and_later_commands_follow_it() -> None:
    stage = Stage()
    id_ = opened(stage, "brawl", priority=Priority.P1)
    stage.order("incident.hand_over", incident_id=id_, to_desk=NEXT)
    assert only(stage.said(IncidentHandedOver)).view.desk == NEXT
    assert id_ not in stage.desk(POLICE).incidents
    assert stage.view(id_).desk == NEXT
    stage.order("incident.update", incident_id=id_, note="ต่อ")
    stage.order("task.complete", incident_id=id_, task_id=f"{id_}/police/1")
    stage.order("task.complete", EMS, incident_id=id_)
    assert [event.seq for event in stage.events(id_)] == list(range(1, len(stage.events(id_)) + 1))
    assert {task.state for task in stage.view(id_).tasks} == {TaskState.COMPLETED}
    assert stage.view(id_).lifecycle is Lifecycle.RESOLVED
    stage.advance(900)
    assert only(stage.said(IncidentClosed)).view.desk == NEXT
    assert not stage.said(CommandRefused)


def test_what_comes_while_an_incident_is_on_its_way_reaches_the_new_desk_after_it() -> None:
    stage = Stage()
    id_ = opened(stage)
    ask = {"desk": POLICE, "actor": "officer:a", "incident_id": id_}
    over = CommandRequested.model_validate(ask | {"verb": "incident.hand_over", "args": {"to_desk": NEXT}})
    note = CommandRequested.model_validate(ask | {"verb": "incident.update", "args": {"note": "x"}})
    handed = stage.rehearsal.tell(POLICE, over)
    assert stage.rehearsal.tell(POLICE, note) == []
    stage._settle(handed)
    asked = [(command.desk, command.verb, command.args.note) for command in stage.asked]
    assert asked[:3] == [
        (POLICE, Verb.INCIDENT_HAND_OVER, None),
        (NEXT, Verb.INCIDENT_HAND_OVER, None),
        (NEXT, Verb.INCIDENT_UPDATE, "x"),
    ]
    assert stage.view(id_).text == "x"


def test_what_a_desk_reports_while_an_incident_is_on_its_way_is_never_refused_for_want_of_room() -> None:
    stage = Stage()
    id_ = opened(stage, "brawl", priority=Priority.P1)
    ask = {"desk": POLICE, "actor": "officer:a", "incident_id": id_}
    over = CommandRequested.model_validate(ask | {"verb": "incident.hand_over", "args": {"to_desk": NEXT}})
    handed = stage.rehearsal.tell(POLICE, over)
    for number in range(MOST_HELD):
        stage.order("incident.update", incident_id=id_, note=f"{number}")
    assert refusal(stage.order("incident.update", incident_id=id_, note="one too many")) == "moving"
    stage.order("task.acknowledge", EMS, incident_id=id_)
    stage._settle(handed)
    assert only(stage.said(TaskAcknowledged)).task_id == f"{id_}/medical/1"
    assert only(stage.said(CommandRefused)).actor == "officer:somchai"


def test_an_erased_report_is_told_to_everybody_and_marked() -> None:
    stage = Stage()
    id_ = opened(stage)
    report_id = stage.view(id_).reports[0].report_id
    erased = ReportErased(
        report_id=report_id, incident_id=id_, desk=POLICE, erased_at=stage.rehearsal.clock.now()
    )
    stage.tell(erased)
    assert stage.said(ReportErased) == [erased]
    assert stage.view(id_).reports[0].erased


def test_what_an_erased_report_said_is_in_the_view_no_more_and_what_people_added_is() -> None:
    stage = Stage()
    told = stage.report(text="นายสมชาย บ้านเลขที่ 12/3 ถูกชน")
    id_ = only([event for event in told if isinstance(event, IncidentOpened)]).incident_id
    stage.order("incident.update", incident_id=id_, note="รถพยาบาลถึงแล้ว")
    report_id = stage.view(id_).reports[0].report_id
    at = stage.rehearsal.clock.now()
    stage.tell(ReportErased(report_id=report_id, incident_id=id_, desk=POLICE, erased_at=at))
    assert stage.view(id_).text == "รถพยาบาลถึงแล้ว"
    assert stage.desk().incidents[id_].told == ()


VERBS = st.sampled_from(list(Verb)).map(str) | st.just("unit.sing")
ACTORS = st.sampled_from(["officer:a", "agency:police", "agency:ems", f"desk:{EMS}", f"desk:{POLICE}", "x"])


@given(body_of(CommandRequested.type), VERBS, ACTORS, st.booleans())
def test_any_command_gets_exactly_one_outcome(command: EventData, verb: str, actor: str, known: bool) -> None:
    stage = Stage()
    id_ = opened(stage, "brawl", priority=Priority.P1)
    about: dict[str, Any] = {"desk": POLICE, "verb": verb, "actor": actor}
    if known:
        about |= {"incident_id": id_}
    sent = CommandRequested.model_validate(command.model_dump() | about)
    before = len(stage.asked)
    events = stage.tell(sent)
    desks_own = len(stage.asked) - before - sum(c.command_id is not None for c in stage.asked[before:])
    outcomes = [event for event in events if isinstance(event, CommandOutcome)]
    assert len(outcomes) == 1 + desks_own
    assert [o for o in outcomes if o.actor == actor and o.verb == verb]


@given(body_of(ReportLocated.type))
def test_any_located_report_has_an_incident_with_an_owner(report: EventData) -> None:
    stage = Stage()
    stage.tell(ReportLocated.model_validate(report.model_dump()))
    opened_ = only(stage.said(IncidentOpened))
    tasks = stage.view(opened_.incident_id).tasks
    assert bool(tasks) is (opened_.status != "test")
    assert all(task.task_id in stage.desk(task.desk).tasks for task in tasks)
