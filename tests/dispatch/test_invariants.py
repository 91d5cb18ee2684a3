"""Whatever happens, in whatever order desks hear of each other: the promises that desks make."""

from collections import Counter, defaultdict, deque
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.dispatch.following import go_on
from services.dispatch.handlers import Desks
from services.dispatch.incidents import ENDED, OVER
from services.dispatch.state import Desk, Task, want_of
from services.dispatch.tasks import hopeful, view_of
from services.dispatch.turn import Rules, Turn
from services.dispatch.units import is_idle
from shared.bus import Emit
from shared.bus.answers import fired
from shared.bus.emit import Encoder
from shared.bus.testing import NOON, event_of
from shared.contracts import CommandRequested, EventData, IncidentHandedOver, ReportLocated, Status
from shared.contracts.command import CommandArgs, CommandOutcome, Verb
from shared.contracts.incident import IncidentEvent
from shared.contracts.unit import UnitState
from shared.contracts.values import Priority
from tests.dispatch.stage import EMS, NEXT, PACK, POLICE, RESCUE, TRIAGE, Stage, a_report

DESKS = (POLICE, NEXT, EMS, RESCUE, TRIAGE)
TEXTS = ("", "วัยรุ่นตีกันหน้าตลาด", "ตีกันหน้าตลาด มีคนเจ็บ", "รถหาย")
UNITS = st.sampled_from([unit.id for unit in PACK.units])
SECONDS = st.sampled_from([1, 30, 60, 61, 600, 900, 3_600])


class Histories(RuleBasedStateMachine):
    """Reports, commands and time, while what desks tell each other arrives late and in any mix."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.queues: dict[str, deque[CommandRequested]] = defaultdict(deque)
        self.following: deque[IncidentHandedOver] = deque()
        self.numbers: dict[str, list[int]] = defaultdict(list)
        self.sent = self.told = 0
        self.outcomes: Counter[str] = Counter()
        self.incidents: dict[str, IncidentEvent] = {}

    def _took(self, emitted: list[EventData]) -> None:
        for data in emitted:
            match data:
                case CommandRequested():
                    self.queues[data.desk].append(data)
                    self.sent += data.command_id is None
                case CommandOutcome():
                    self.outcomes[data.command_id] += 1
                case IncidentEvent():
                    self.numbers[data.incident_id].append(data.seq)
                    self.incidents[data.incident_id] = data
                    if isinstance(data, IncidentHandedOver):
                        self.following.append(data)

    def _tell(self, data: ReportLocated | CommandRequested) -> None:
        self.told += 1
        self._took(self.stage.rehearsal.tell(data.desk, data, f"cause-{self.told}"))

    @rule(
        desk=st.sampled_from([POLICE, NEXT, TRIAGE]), text=st.sampled_from(TEXTS),
        category=st.sampled_from(["brawl", "theft", "unknown"]), priority=st.sampled_from(Priority),
        status=st.sampled_from([Status.ACTUAL, Status.EXERCISE]), north=st.sampled_from([0.0, 60.0, 5_000.0]),
        neighbours=st.sampled_from([(), (POLICE,), (NEXT,), (POLICE, NEXT)]),
    )  # fmt: skip
    def report(self, **fields: Any) -> None:
        """Somebody reports."""
        self._tell(a_report(self.stage, report_id=f"report-{self.told}", **fields))

    @precondition(lambda self: self.incidents)
    @rule(data=st.data(), verb=st.sampled_from(Verb), desk=st.sampled_from(DESKS), unit=st.none() | UNITS,
          actor=st.sampled_from(["officer:a", "officer:a", "agency:police", "agency:ems"]),
          to=st.none() | st.sampled_from(DESKS), state=st.none() | st.sampled_from(UnitState))  # fmt: skip
    def ask(self, data: Any, verb: Verb, desk: str, unit: str | None, actor: str, to: str | None,
            state: UnitState | None) -> None:  # fmt: skip
        """Somebody asks, sensibly or not."""
        last = self.incidents[data.draw(st.sampled_from(list(self.incidents)))]
        tasks = [task.task_id for task in last.view.tasks]
        reports = [entry.report_id for held in self.incidents.values() for entry in held.view.reports]
        args = CommandArgs(
            to_desk=to, unit_state=state, report_id=data.draw(st.sampled_from(reports)), priority=Priority.P1
        )
        at = last.view.desk if data.draw(st.booleans()) else desk
        self.sent += 1
        self._tell(
            CommandRequested(
                desk=at, verb=verb, actor=actor, incident_id=last.incident_id, unit_id=unit, args=args,
                task_id=data.draw(st.none() | st.sampled_from(tasks)) if tasks else None,
                view=last.view, seq=last.seq, status=last.status,
            )
        )  # fmt: skip

    @rule(seconds=SECONDS)
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self._took(self.stage.rehearsal.advance(seconds))

    @precondition(lambda self: any(self.queues.values()))
    @rule(data=st.data())
    def hear(self, data: Any) -> None:
        """A desk hears the next of what others ask of it."""
        desk = data.draw(st.sampled_from(sorted(desk for desk, queue in self.queues.items() if queue)))
        self._tell(self.queues[desk].popleft())

    @precondition(lambda self: self.following)
    @rule()
    def follow(self) -> None:
        """A hand-over is seen on the stream."""
        self._took([emit.data for emit in go_on(event_of(self.following.popleft()))])

    @invariant()
    def every_number_follows_the_one_before(self) -> None:
        """Check that `seq` has no gap and no double."""
        for numbers in self.numbers.values():
            assert numbers == list(range(1, len(numbers) + 1))

    @invariant()
    def a_unit_and_its_task_have_each_other_alone(self) -> None:
        """Check that no unit is on two tasks, and that task and unit agree."""
        for code in DESKS:
            desk = self.stage.desk(code)
            with_unit = {task.unit: task.task_id for task in desk.tasks.values() if task.unit}
            assert len(with_unit) == sum(task.unit is not None for task in desk.tasks.values())
            assert with_unit == {id_: unit.task_id for id_, unit in desk.units.items() if unit.task_id}
            own = {unit.id for unit in PACK.units if unit.desk == code}
            assert set(desk.units) <= own

    @invariant()
    def an_incident_has_one_home_or_is_on_its_way(self) -> None:
        """Check that nobody shares an incident."""
        for id_ in self.incidents:
            assert sum(id_ in self.stage.desk(code).incidents for code in DESKS) <= 1

    @invariant()
    def what_waits_is_found_as_if_one_went_over_all_tasks(self) -> None:
        """Check that the index of waiting tasks is right, from the start or kept along."""
        for code in DESKS:
            desk = self.stage.desk(code)
            assert Desk.model_validate_json(desk.model_dump_json()).waiting == desk.waiting
            turn = Turn(Rules(PACK), code, "cause", self.stage.rehearsal.clock.now(), desk)
            assert {task.task_id for task in hopeful(turn)} == {
                task.task_id for task in desk.tasks.values() if task.waiting and self._may_go(turn, task)
            }

    @invariant()
    def the_tasks_of_an_incident_are_found_as_if_one_went_over_all_tasks(self) -> None:
        """Check that the index of tasks by incident is right and in order, read back or kept along."""
        for code in DESKS:
            desk = self.stage.desk(code)
            assert Desk.model_validate_json(desk.model_dump_json()).parts == desk.parts
            assert {id_: desk.tasks_of(id_) for id_ in desk.parts} == by_incident(desk)

    def _may_go(self, turn: Turn, task: Task) -> bool:
        return any(
            is_idle(turn, id_) for id_ in turn.rules.suitable(turn.desk, want_of(task, view_of(turn, task)))
        )

    def teardown(self) -> None:
        """Let everything be heard; then everything is somewhere and every command has its outcome."""
        for _ in range(10_000):
            if self.following:
                self.follow()
            elif waiting := [queue for queue in self.queues.values() if queue]:
                self._tell(waiting[0].popleft())
            else:
                break
        else:
            raise AssertionError("desks never stop talking")
        assert set(self.outcomes.values()) <= {1}, self.outcomes
        assert len(self.outcomes) == self.sent
        for id_, last in self.incidents.items():
            if last.view.lifecycle not in ENDED:
                self._owned(id_)

    def _owned(self, incident_id: str) -> None:
        [home] = [code for code in DESKS if incident_id in self.stage.desk(code).incidents]
        for task in self.stage.desk(home).incidents[incident_id].view.tasks:
            owners = [code for code in DESKS if task.task_id in self.stage.desk(code).tasks]
            assert owners == ([] if task.state in OVER else [task.desk]), task


def by_incident(desk: Desk) -> dict[str, list[Task]]:
    """Return the tasks of each incident, by going over all."""
    found: dict[str, list[Task]] = defaultdict(list)
    for task in desk.tasks.values():
        found[task.incident_id].append(task)
    return found


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def test_the_same_cause_in_the_same_state_gives_the_same_bytes() -> None:
    stage, decider, encoder = Stage(), Desks(Rules(PACK)), Encoder("dispatch")
    stage.report("brawl", TEXTS[1])
    event = event_of(a_report(stage, "brawl", TEXTS[2], priority=Priority.P1))
    once, twice = (
        [encoder.record(event, d, n, NOON) for n, d in enumerate(decider.decide(stage.desk(), event, NOON))
         if isinstance(d, Emit)]
        for _ in range(2)
    )  # fmt: skip
    assert once == twice
    assert len({dict(record.headers)["ce_id"] for record in once}) == len(once)


def test_deciding_does_not_change_the_state() -> None:
    stage, decider = Stage(), Desks(Rules(PACK))
    stage.report("brawl", TEXTS[1])
    before = stage.desk().model_copy(deep=True)
    indexes = before.nearby, before.waiting, before.parts
    list(decider.decide(stage.desk(), event_of(a_report(stage, "brawl", TEXTS[1])), NOON))
    [timer] = stage.rehearsal._fold[POLICE].timers.values()
    list(decider.decide(stage.desk(), fired(timer), NOON))
    assert stage.desk() == before
    desk = stage.desk()
    assert (desk.nearby, desk.waiting, desk.parts) == indexes


class Unlooked(dict[str, Any]):
    """What may be looked up and never gone over."""

    def __iter__(self) -> Any:
        raise AssertionError("a decision went over everything the desk holds")

    items = values = keys = __iter__


@pytest.mark.parametrize("home", [POLICE, NEXT])
def test_to_end_an_incident_no_desk_looks_at_the_others(home: str) -> None:
    stage = Stage()
    stage.report("brawl", TEXTS[1], priority=Priority.P1)
    [incident_id] = stage.desk().incidents
    stage.report("theft", TEXTS[3], north=5_000.0)
    if home != POLICE:
        stage.order("incident.hand_over", incident_id=incident_id, to_desk=home)
    for code in DESKS:
        desk = stage.desk(code)
        desk.tasks, desk.incidents = Unlooked(desk.tasks), Unlooked(desk.incidents)
    stage.order("incident.close", desk=home, incident_id=incident_id, outcome="done")
    assert not any(stage.desk(code).tasks_of(incident_id) for code in DESKS)


def test_a_desk_reads_back_from_its_snapshot_as_it_was() -> None:
    stage = Stage()
    stage.report("brawl", TEXTS[1], priority=Priority.P1)
    stage.order("incident.hand_over", incident_id=next(iter(stage.desk().incidents)), to_desk=NEXT)
    stage.report("theft", TEXTS[3])
    for code in DESKS:
        desk = stage.desk(code)
        assert type(desk).model_validate_json(desk.model_dump_json()) == desk
