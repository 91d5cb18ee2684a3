"""Two replicas share the desks, one goes and comes back: nothing is numbered, sent or answered twice."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.choose import Chosen
from deploy.local.kafka_server import KafkaServer
from deploy.local.ports import free_port
from shared.bus.commits import Emitted, decode_body
from shared.bus.partitioner import partition_of
from shared.bus.runtime import Runtime
from shared.contracts import CommandRequested, Event, UnitStatusChanged, decode
from shared.contracts.command import CommandOutcome
from shared.contracts.ids import new_id
from shared.contracts.incident import IncidentEvent
from shared.contracts.topics import DESK_PARTITIONS, DESKS_COMMANDS, INCIDENTS
from shared.contracts.values import Priority
from shared.contracts.view import TaskState, TaskView
from tests.bus.live import shares
from tests.bus.support import record_of, until
from tests.dispatch.stage import NEXT, POLICE
from tests.dispatch.test_live import Live
from tests.store.helpers import opened, whole

pytestmark = pytest.mark.real_kafka
TEXTS = ("", "วัยรุ่นตีกันหน้าตลาดสด", "ตีกันหน้าตลาดสด มีคนเจ็บ", "รถหายหน้าร้านสะดวกซื้อ")
STEPS = ("task.acknowledge", "task.en_route", "task.on_scene", "task.complete", "task.complete", "task.sing")


class Town(Live):
    """Desks in both halves of the partitions, people who report, and crews who answer."""

    def __init__(self, server: KafkaServer, folder: Path, store_url: str) -> None:
        super().__init__(server, folder)
        while not _apart(self.own):
            self.own = uuid4().hex[:8]
        self.world.store_url = store_url
        self.homes = [f"{name}-{self.own}" for name in (POLICE, NEXT)]
        self.reported: list[str] = []
        self.asked: set[str] = set()
        self.steps: dict[str, int] = defaultdict(int)
        self.over = False
        self._dice = random.Random(self.own)

    def _ours(self, data: Any) -> bool:
        desk: str = data.view.desk if isinstance(data, IncidentEvent) else data.desk
        return desk.endswith(self.own)

    @asynccontextmanager
    async def replica(self) -> AsyncIterator[Runtime]:
        """One of those who share the desks; at the end it is told to stop, and drains."""
        service = self.service(acknowledge_seconds=2.0)
        async with self.world.running(service, API_PORT=str(free_port())) as runtime:
            yield runtime

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """A town where much is going on."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report())
            group.create_task(self._answer_all())
            try:
                yield
            finally:
                self.over = True

    async def _report(self) -> None:
        while not self.over:
            self.desk, dice = self._dice.choice(self.homes), self._dice
            report_id = f"report-{len(self.reported)}-{self.own}"
            await self.report(
                dice.choice(TEXTS), report_id=report_id, priority=dice.choice(list(Priority)),
                north=dice.choice([0.0, 60.0, 300.0, 5_000.0]),
            )  # fmt: skip
            self.reported.append(report_id)
            await asyncio.sleep(0.1)

    async def _answer_all(self) -> None:
        while not self.over:
            views = {e.data.incident_id: e.data for e in await self.events() if _is_numbered(e)}
            for data in views.values():
                for task in data.view.tasks:
                    await self._answer(data, task)
            await asyncio.sleep(0.1)

    async def _answer(self, data: IncidentEvent, task: TaskView) -> None:
        step = self.steps[task.task_id]
        if step >= len(STEPS) or task.state is TaskState.CANCELLED or not (task.units or step):
            return
        self.steps[task.task_id] += 1
        command = CommandRequested(
            desk=task.desk, actor="officer:a", verb=STEPS[step], incident_id=data.incident_id,
            task_id=task.task_id, status=data.status,
        )  # fmt: skip
        id_ = new_id()
        await self.world.send(record_of(DESKS_COMMANDS, command, id_=id_))
        self.asked.add(id_)

    async def goes_on(self, reports: int, commands: int) -> None:
        """Return when so many more of both have been sent."""
        reports, commands = reports + len(self.reported), commands + len(self.asked)
        await until(
            lambda: len(self.reported) >= reports and len(self.asked) >= commands, "the town goes on", 60
        )

    async def commands(self) -> set[str]:
        """Every command that anybody has sent, by the id its sender knows."""
        events = [decode(r.value, r.headers) for r in await self.world.read(DESKS_COMMANDS)]
        return {e.data.command_id or e.id for e in events if self._ours(e.data)}

    async def settled(self) -> list[Event[Any]]:
        """All that was said by then, once every report has an incident and every command an answer."""

        async def quiet() -> list[Event[Any]] | None:
            events, commands = await self.events(), await self.commands()
            answered = {e.data.command_id for e in events if isinstance(e.data, CommandOutcome)}
            told = {r.report_id for e in events if _is_numbered(e) for r in e.data.view.reports}
            return events if commands <= answered and set(self.reported) <= told else None

        return await until(quiet, "every report and every command has been answered", 60)

    async def decided(self) -> list[Event[Any]]:
        """What the logs of these desks say was said, in the order in which each desk decided."""
        found = []
        async with opened(self.world.store_url) as store:
            for number in range(DESK_PARTITIONS):
                for commit in await whole(store, f"dispatch/{number}"):
                    for decided in decode_body(commit.body):
                        records = [a.record for a in decided.answers if isinstance(a, Emitted)]
                        said = [decode(r.value, r.headers) for r in records if r.topic == INCIDENTS.name]
                        found += said if decided.key.endswith(self.own) else []
        return found


def _apart(own: str) -> bool:
    """Whether the home desks are in different halves of the partitions, and so at different replicas."""
    places = [partition_of(f"{name}-{own}".encode(), DESK_PARTITIONS) for name in (POLICE, NEXT)]
    return len({place * 2 // DESK_PARTITIONS for place in places}) == 2


def _is_numbered(event: Event[Any]) -> bool:
    return isinstance(event.data, IncidentEvent)


@pytest.fixture
def town(chosen_kafka: Chosen[KafkaServer], store_url: str, tmp_path: Path) -> Town:
    """A town whose dispatch is not running yet."""
    return Town(chosen_kafka.server, tmp_path, store_url)


async def test_desks_shared_by_two_replicas_say_everything_once_while_one_goes_and_comes(town: Town) -> None:
    async with town.replica() as first:
        async with town.busy():
            async with town.replica() as second:
                await shares(DESK_PARTITIONS, first, second)
                await town.goes_on(25, 10)
            await town.goes_on(15, 5)
            async with town.replica() as third:
                await shares(DESK_PARTITIONS, first, third)
                await town.goes_on(25, 10)
        await town.settled()
    said, decided = await town.events(), await town.decided()  # timers fire until the last replica has gone
    assert {event.id for event in said} == {event.id for event in decided}
    every_number_follows_the_one_before(said)
    every_command_has_one_outcome(said)
    every_report_is_in_one_incident(said, town.reported)
    no_unit_is_on_two_tasks(decided)


def every_number_follows_the_one_before(said: list[Event[Any]]) -> None:
    """Check `seq`, in the order of the topic."""
    numbers = defaultdict(list)
    for event in filter(_is_numbered, said):
        numbers[event.data.incident_id].append(event.data.seq)
    assert numbers
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values()), numbers


def every_command_has_one_outcome(said: list[Event[Any]]) -> None:
    """Check that no command was answered by two events."""
    outcomes = Counter(e.data.command_id for e in said if isinstance(e.data, CommandOutcome))
    assert set(outcomes.values()) == {1}, outcomes.most_common(3)


def every_report_is_in_one_incident(said: list[Event[Any]], reported: list[str]) -> None:
    """Check the last view of every incident."""
    last = {e.data.incident_id: e.data.view for e in said if _is_numbered(e)}
    held = Counter(r.report_id for view in last.values() for r in view.reports if not r.suggested)
    assert held == Counter(reported)


def no_unit_is_on_two_tasks(decided: list[Event[Any]]) -> None:
    """Check that a unit gets a task only when it has none."""
    tasks: dict[str, str | None] = {}
    changes = [event.data for event in decided if isinstance(event.data, UnitStatusChanged)]
    assert changes
    for change in changes:
        assert tasks.get(change.unit_id) in (None, change.task_id) or change.task_id is None, change
        tasks[change.unit_id] = change.task_id
