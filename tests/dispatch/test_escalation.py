"""Nobody acknowledges: next unit, supervisor, partner desk, with no input but the clock."""

from services.dispatch.escalation import next_step
from services.dispatch.state import Task
from shared.bus.testing import NOON
from shared.contracts import IncidentOpened, Status, TaskEscalated
from shared.contracts.task import EscalationStep
from shared.contracts.unit import UnitState
from shared.contracts.values import Priority
from tests.dispatch.stage import EMS, NEXT, POLICE, RESCUE, TRIAGE, Stage, only


def steps(stage: Stage) -> list[tuple[str, int]]:
    """Where tasks went, and as which attempt."""
    return [(event.step.value, event.attempt) for event in stage.said(TaskEscalated)]


def test_the_chain_reaches_the_partner_desk_with_no_further_input() -> None:
    stage = Stage()
    stage.report("theft")
    id_ = only(stage.said(IncidentOpened)).incident_id
    assert stage.advance(59) == []
    stage.advance(1)
    assert stage.view(id_).tasks[0].units == ("car-2",)
    stage.advance(60)
    assert stage.view(id_).tasks[0].units == ("car-2",)
    stage.advance(60)
    assert steps(stage) == [("next_unit", 1), ("supervisor", 2), ("partner_desk", 3)]
    task = only(list(stage.view(id_).tasks))
    assert (task.desk, task.units) == (NEXT, ("car-9",))
    assert stage.desk(POLICE).tasks == {}
    assert task.task_id in stage.desk(NEXT).tasks
    assert [event.seq for event in stage.events(id_)] == list(range(1, len(stage.events(id_)) + 1))


def test_at_the_partner_desk_the_chain_ends_with_its_supervisor_who_is_called_again() -> None:
    stage = Stage()
    stage.report("theft")
    for _ in range(3):
        stage.advance(60)
    for seconds in (60, 59, 1, 540, 60, 600):
        stage.advance(seconds)
    assert steps(stage)[3:] == [("supervisor", n) for n in (4, 5, 6, 7)]


def test_another_desks_chain_is_told_by_the_home_desk() -> None:
    stage = Stage()
    stage.report("brawl", priority=Priority.P1)
    id_ = only(stage.said(IncidentOpened)).incident_id
    stage.order("task.acknowledge", incident_id=id_, task_id=f"{id_}/police/1")
    stage.advance(60)
    stage.advance(60)
    assert steps(stage) == [("supervisor", 1), ("partner_desk", 2)]
    assert stage.view(id_).tasks[1].desk == RESCUE
    assert stage.view(id_).tasks[1].units == ("res-1",)
    assert stage.desk(EMS).tasks == {}
    assert stage.desk(EMS).units["amb-1"].state is UnitState.AVAILABLE


def test_an_acknowledged_task_does_not_escalate() -> None:
    stage = Stage()
    stage.report("theft")
    id_ = only(stage.said(IncidentOpened)).incident_id
    stage.order("task.acknowledge", incident_id=id_)
    assert stage.advance(3_600) == []
    assert stage.view(id_).tasks[0].acknowledge_by is None


def test_a_task_that_waits_for_a_unit_goes_to_the_supervisor() -> None:
    stage = Stage()
    for unit in ("car-1", "car-2"):
        stage.order("unit.set_state", unit_id=unit, unit_state=UnitState.OFF_DUTY)
    stage.report("theft")
    stage.advance(60)
    assert steps(stage) == [("supervisor", 1)]


def test_a_unit_that_did_not_answer_is_the_last_to_be_sent_until_it_speaks() -> None:
    stage = Stage()
    stage.report("theft")
    stage.advance(60)
    assert stage.desk().units["car-1"].missed
    stage.order("unit.set_state", unit_id="car-2", unit_state=UnitState.OFF_DUTY)
    stage.order("unit.set_state", unit_id="car-1", unit_state=UnitState.AVAILABLE)
    assert not stage.desk().units["car-1"].missed


def test_a_person_can_escalate_before_the_time() -> None:
    stage = Stage()
    stage.report("theft")
    id_ = only(stage.said(IncidentOpened)).incident_id
    stage.order("task.escalate", incident_id=id_)
    assert steps(stage) == [("next_unit", 1)]
    stage.advance(59)
    assert len(steps(stage)) == 1
    stage.advance(1)
    assert steps(stage)[-1] == ("supervisor", 2)


def test_the_period_is_a_setting() -> None:
    stage = Stage(acknowledge_seconds=5.0)
    stage.report("theft")
    stage.advance(5)
    assert steps(stage) == [("next_unit", 1)]


def test_a_desk_without_a_partner_turns_to_triage_and_triage_to_nobody() -> None:
    stage = Stage()
    stage.report("theft", desk=NEXT)
    id_ = only(stage.said(IncidentOpened)).incident_id
    stage.advance(60)
    stage.advance(60)
    assert stage.view(id_).tasks[0].desk == TRIAGE
    stage.advance(60)
    assert stage.view(id_).tasks[0].desk == TRIAGE


def test_the_next_step_depends_on_the_task_alone() -> None:
    task = Task(
        task_id="i/police/1", incident_id="i", home=POLICE, status=Status.ACTUAL, assigned_at=NOON, unit="u"
    )
    supervised = task.model_copy(update={"step": EscalationStep.SUPERVISOR})
    moved = supervised.model_copy(update={"moved": True})
    assert next_step(task, unit=True, partner=True) is EscalationStep.NEXT_UNIT
    assert next_step(task, unit=False, partner=True) is EscalationStep.SUPERVISOR
    assert next_step(supervised, unit=True, partner=True) is EscalationStep.PARTNER_DESK
    assert next_step(supervised, unit=True, partner=False) is EscalationStep.SUPERVISOR
    assert next_step(moved, unit=True, partner=True) is EscalationStep.SUPERVISOR
