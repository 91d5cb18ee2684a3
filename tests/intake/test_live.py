"""A report's way through the running service: in over HTTP, out on its lane, its status back."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from deploy.local.choose import Chosen
from deploy.local.kafka_server import KafkaServer
from services.intake.app import build
from services.intake.handlers import Intake
from shared.bus import Service
from shared.contracts import IncidentOpened, ReportErased, decode
from shared.contracts.testing import NOON, an_incident
from shared.contracts.topics import DESKS_COMMANDS, INCIDENTS, REPORTS_RECEIVED, REPORTS_RECEIVED_URGENT
from shared.contracts.view import ReportLink
from tests.bus.live import World, probe
from tests.bus.support import record_of, until
from tests.intake.live import (
    Door,
    SwitchedKafka,
    a_process,
    all_on,
    make_topics,
    new_door,
    posted,
    told,
)


@pytest.fixture
def switched(tmp_path: Path) -> Iterator[tuple[SwitchedKafka, World]]:
    """A broker of this test's own, and the settings to use it."""
    kafka = SwitchedKafka()
    make_topics(kafka)
    yield kafka, World(kafka.url, f"sqlite:///{tmp_path}/intake.db", name="intake")
    kafka.close()


def without_follower() -> Service:
    """Intake's parts alone: the embedded broker refuses a second member of a group."""
    service, intake = Service("intake"), Intake()
    service.beside(intake.serve, without_broker=True)
    service.beside(intake.forward)
    return service


async def in_state(door: Door, code: str, status: str) -> None:
    """Return once the reporter is told `status`."""

    async def reached() -> bool:
        return bool((await door.get(code)).json()["status"] == status)

    held: bool = await until(reached, status)
    assert held


async def test_a_report_goes_in_and_out_and_its_status_comes_back(
    world: World, chosen_kafka: Chosen[KafkaServer], tmp_path: Path
) -> None:
    make_topics(chosen_kafka.server)
    door = new_door()
    async with world.running(build(), **told(tmp_path, door)) as runtime:
        await door.opens()
        await until(lambda: runtime.ready().ok, "ready")
        ordinary, urgent = await door.post(), await door.post({"text": "แม่หมดสติ"})
        report = ordinary.json()["report_id"]
        await all_on(world, [report, urgent.json()["report_id"]])
        found = {r.key: r for r in await world.read(REPORTS_RECEIVED)}[report.encode()]
        event = decode(found.value, found.headers)
        assert (event.id, event.source, event.data.report_id) == (report, "/ruamjai/intake", report)
        on_urgent = {record.key for record in await world.read(REPORTS_RECEIVED_URGENT)}
        assert urgent.json()["report_id"].encode() in on_urgent

        incident = an_incident()
        links = (ReportLink(report_id=report, linked_at=NOON),)
        view = incident.view.model_copy(update={"reports": links})
        opened = IncidentOpened(incident_id=incident.incident_id, seq=1, view=view)
        await world.send(record_of(INCIDENTS, opened))
        code = ordinary.json()["tracking_code"]
        await in_state(door, code, "linked")

        assert (await door.erase(code)).status_code == 204

        async def announced() -> ReportErased | None:
            events = [decode(r.value, r.headers).data for r in await world.read(DESKS_COMMANDS)]
            return next((e for e in events if isinstance(e, ReportErased) and e.report_id == report), None)

        erased: ReportErased = await until(announced, "the erasure is announced")
        assert (erased.desk, erased.incident_id) == (view.desk, incident.incident_id)


async def test_reports_are_accepted_before_the_broker_has_ever_answered(
    switched: tuple[SwitchedKafka, World], tmp_path: Path
) -> None:
    kafka, world = switched
    kafka.set_up(up=False)
    door = new_door()
    async with world.running(build(), **told(tmp_path, door)) as runtime:
        await door.opens()
        await until(lambda: runtime.ready().ok, "ready")
        assert await probe(runtime, "/readyz") == 200
        accepted = await posted(door, 30)
        kafka.set_up(up=True)
        assert sorted(await all_on(world, accepted)) == sorted(accepted)
        assert runtime.failure is None


async def test_reports_accepted_while_the_broker_is_away_go_out_when_it_is_back(
    switched: tuple[SwitchedKafka, World], tmp_path: Path
) -> None:
    kafka, world = switched
    door = new_door()
    async with world.running(build(), **told(tmp_path, door)) as runtime:
        await door.opens()
        accepted = await posted(door, 10)
        await all_on(world, accepted)
        kafka.set_up(up=False)
        accepted += await posted(door, 30)
        kafka.set_up(up=True)
        await all_on(world, accepted)
        assert runtime.failure is None


async def test_what_a_killed_replica_accepted_is_forwarded_by_another(
    switched: tuple[SwitchedKafka, World], tmp_path: Path
) -> None:
    kafka, world = switched
    kafka.set_up(up=False)
    dying, heir = new_door(), new_door()
    with a_process(world, told(tmp_path, dying)) as process:
        await dying.opens()
        accepted = await posted(dying, 20)
        process.kill()
    kafka.set_up(up=True)
    async with world.running(without_follower(), **told(tmp_path, heir)):
        assert sorted(await all_on(world, accepted)) == sorted(accepted)


async def test_a_replica_killed_under_load_loses_nothing_that_it_accepted(
    switched: tuple[SwitchedKafka, World], tmp_path: Path
) -> None:
    _, world = switched
    dying, heir = new_door(), new_door()
    accepted: list[str] = []

    async def keep_sending() -> None:
        while True:
            accepted.append((await dying.post(device=uuid4().hex)).json()["report_id"])

    async with world.running(without_follower(), **told(tmp_path, heir)) as runtime:
        with a_process(world, told(tmp_path, dying)) as process:
            await dying.opens()
            senders = [asyncio.create_task(keep_sending()) for _ in range(4)]
            await until(lambda: len(accepted) >= 60, "under load")
            process.kill()
            ended = await asyncio.gather(*senders, return_exceptions=True)
        assert all(isinstance(end, httpx.TransportError) for end in ended)
        await all_on(world, accepted)
        assert runtime.failure is None


async def test_a_service_without_keys_says_what_is_missing(world: World) -> None:
    async with world.running(build()) as runtime:
        failure = await until(lambda: runtime.failure, "the end")
    assert "set KEYS_URL and MASTER_KEY" in str(failure)
