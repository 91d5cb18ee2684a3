"""The whole service on a broker and a store: reports in, the incidents stream out, over a restart."""

import hashlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml

from deploy.local.choose import Chosen
from deploy.local.kafka_server import KafkaServer
from services.dispatch.service import dispatch
from services.dispatch.turn import Rules
from shared.bus import Service
from shared.bus.admin import wanted
from shared.contracts import (
    CommandAccepted,
    CommandRefused,
    CommandRequested,
    Event,
    IncidentLinked,
    IncidentOpened,
    ResponseSubmitted,
    TaskAcknowledged,
    TaskEscalated,
    decode,
)
from shared.contracts.command import CommandOutcome
from shared.contracts.incident import IncidentEvent
from shared.contracts.topics import (
    DESK_INPUTS,
    DESKS_COMMANDS,
    INCIDENTS,
    REPORTS_LOCATED,
    REPORTS_LOCATED_URGENT,
    agency_responses,
)
from shared.contracts.values import Priority
from shared.pack import Pack
from shared.pack.load import FILE
from shared.pack.watch import PackWatch
from tests.bus.live import World
from tests.bus.support import record_of, until, value_of
from tests.dispatch.stage import PACK, POLICE, Stage, a_report
from tests.dispatch.test_new_pack import without

AGENCIES = sorted({desk.agency for desk in PACK.desks})
RESPONSES = tuple(agency_responses(code) for code in AGENCIES)
GROUPS = {"dispatch": DESK_INPUTS, "dispatch-index": (INCIDENTS,), "dispatch-gateway": RESPONSES}
KEY = "key-of-the-console"
REPORTS = Stage()


class Live:
    """One dispatch with desks of its own, so that other tests may use the same topics."""

    def __init__(self, server: KafkaServer, folder: Path) -> None:
        for topic, _ in wanted(GROUPS, AGENCIES):
            server.create_topic(topic.name, topic.partitions)
        self.own = uuid4().hex[:8]
        digest = hashlib.sha256(KEY.encode()).hexdigest()
        keys = folder / "keys.yaml"
        keys.write_text(yaml.safe_dump({digest: {"name": "officer:somchai", "scopes": ["commands"]}}))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        extra = {"API_KEYS": str(keys), "API_PORT": str(self.port)}
        self.world = World(server.url, f"sqlite:///{folder}/dispatch.db", "dispatch", extra)
        self.desk = f"{POLICE}-{self.own}"

    def service(self, watch: PackWatch | None = None, **rules: Any) -> Service:
        """The service, with this test's names for desks and units."""
        return dispatch(Rules(self.pack(), **rules), watch)

    def pack(self, pack: Pack = PACK) -> Pack:
        """A pack with this test's names for desks and units."""
        text = pack.model_dump_json()
        for name in [*PACK.desk_by_code, *(unit.id for unit in PACK.units)]:
            text = text.replace(f'"{name}"', f'"{name}-{self.own}"')
        return Pack.model_validate_json(text)

    async def report(self, text: str, **fields: Any) -> None:
        """Send a located report, in the lane it belongs to."""
        report = a_report(REPORTS, "brawl", text, desk=self.desk, **fields)
        lane = REPORTS_LOCATED_URGENT if report.priority is Priority.P1 else REPORTS_LOCATED
        await self.world.send(record_of(lane, report))

    async def events(self) -> list[Event[Any]]:
        """What was said of this test's incidents and commands, each event once.

        Its desks also answer what other tests have left on the topics, as triage and partners of those desks.
        """
        found = [decode(record.value, record.headers) for record in await self.world.read(INCIDENTS)]
        return list({event.id: event for event in found if self._ours(event.data)}.values())

    def _ours(self, data: Any) -> bool:
        if isinstance(data, IncidentEvent):
            return data.view.desk == self.desk
        return self.own in data.model_dump_json()

    async def said(self, kind: type[Any], enough: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first event of one type that is enough, once it is there."""

        async def there() -> Any:
            found = [event.data for event in await self.events() if isinstance(event.data, kind)]
            return next(filter(enough, found), None)

        return await until(there, kind.__name__)


@pytest.fixture
async def live(chosen_kafka: Chosen[KafkaServer], tmp_path: Path) -> Live:
    """A dispatch that is not running yet."""
    live = Live(chosen_kafka.server, tmp_path)
    await live.world.skip("dispatch", *DESK_INPUTS)  # so that no ambulance is busy already
    return live


async def test_reports_become_incidents_whose_numbers_go_on_after_a_restart(live: Live) -> None:
    async with live.world.running(live.service()):
        await live.report("วัยรุ่นตีกันหน้าตลาดสด")
        opened = await live.said(IncidentOpened)
        await live.said(IncidentEvent, lambda e: e.seq == 2)
    id_ = opened.incident_id
    ask = CommandRequested(desk=live.desk, actor="officer:a", verb="task.acknowledge", incident_id=id_)
    await live.world.send(record_of(DESKS_COMMANDS, ask))
    await live.report("วัยรุ่นตีกันหน้าตลาดสด มีคนเจ็บ", priority=Priority.P1)
    async with live.world.running(live.service()):
        acknowledged = await live.said(TaskAcknowledged)
        assert acknowledged.view.tasks[0].units == (f"car-1-{live.own}",)
        await live.said(IncidentLinked)
        await live.said(IncidentEvent, lambda e: any(f"amb-1-{live.own}" in t.units for t in e.view.tasks))
        numbers = [e.data.seq for e in await live.events() if isinstance(e.data, IncidentEvent)]
        assert numbers == list(range(1, len(numbers) + 1))


async def test_a_desk_that_leaves_the_pack_while_running_finishes_what_is_open(
    live: Live, tmp_path: Path
) -> None:
    def put(pack: Pack) -> None:
        text = yaml.safe_dump(live.pack(pack).model_dump(mode="json"))
        (tmp_path / FILE).write_text(text, encoding="utf-8")

    put(PACK)
    watch = PackWatch(tmp_path, poll_seconds=0.05)
    async with live.world.running(live.service(watch)):
        await live.report("ทะเลาะวิวาท")
        sent = await live.said(IncidentEvent, lambda e: e.seq == 2)
        put(without(POLICE))
        await until(lambda: value_of(watch.metrics.changes, "taken"), "the new pack is in use")
        ask = CommandRequested(
            desk=live.desk, actor="officer:a", verb="task.acknowledge", incident_id=sent.incident_id
        )
        await live.world.send(record_of(DESKS_COMMANDS, ask))
        acknowledged = await live.said(TaskAcknowledged)
    assert acknowledged.view.desk == live.desk
    assert acknowledged.view.tasks[0].units == (f"car-1-{live.own}",)


async def test_a_task_escalates_although_its_desk_was_down_and_nothing_comes_in(live: Live) -> None:
    async with live.world.running(live.service(acknowledge_seconds=1.0)):
        await live.report("ทะเลาะวิวาท")
        await live.said(IncidentEvent, lambda e: e.seq == 2)
    async with live.world.running(live.service(acknowledge_seconds=1.0)):
        await live.said(TaskEscalated, lambda e: e.step == "partner_desk")
        theirs = (f"car-9-{live.own}",)
        moved = await live.said(IncidentEvent, lambda e: any(t.units == theirs for t in e.view.tasks))
        assert moved.view.desk == live.desk


async def test_agencies_answer_on_their_own_topics_and_consoles_over_http(live: Live) -> None:
    async with live.world.running(live.service()), httpx.AsyncClient() as console:
        await live.report("ทะเลาะวิวาท")
        opened = await live.said(IncidentEvent, lambda e: e.seq == 2)
        id_ = opened.incident_id
        for agency in ("ems", "police"):
            answer = ResponseSubmitted(verb="task.acknowledge", incident_id=id_)
            await live.world.send(record_of(agency_responses(agency), answer))
        refused = await live.said(CommandRefused)
        assert (refused.actor, refused.reason) == ("agency:ems", "not_allowed")
        assert (await live.said(CommandAccepted)).actor == "agency:police"
        assert (await live.said(TaskAcknowledged)).view.lifecycle == "acknowledged"
        url, body = f"http://127.0.0.1:{live.port}/v1/commands", {"verb": "task.complete", "incident_id": id_}
        assert (await console.post(url, json=body)).status_code == 401
        headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "1"}
        sent = await console.post(url, json=body, headers=headers)
        assert (sent.status_code, sent.json()["desk"]) == (202, live.desk)
        assert (await console.post(url, json=body, headers=headers)).json() == sent.json()
        last = await console.post(url, json={"verb": "incident.update", "incident_id": id_}, headers={
            "Authorization": f"Bearer {KEY}"
        })  # fmt: skip
        await live.said(CommandRefused, lambda o: o.command_id == last.json()["command_id"])
        await live.said(IncidentEvent, lambda e: e.view.lifecycle == "resolved")
        outcomes = [e.data for e in await live.events() if isinstance(e.data, CommandOutcome)]
        ours = [o for o in outcomes if o.command_id == sent.json()["command_id"]]
        assert [type(outcome) for outcome in ours] == [CommandAccepted]
