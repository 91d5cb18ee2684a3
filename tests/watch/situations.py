"""What is provoked on a running platform, and which alerts must then be firing: no fewer and no others."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import httpx
from aiokafka import AIOKafkaProducer

from deploy.local.demo.day import Day
from deploy.local.demo.hook import Hook
from deploy.local.demo.world import World, publish
from deploy.local.process import ServerProcess
from shared.bus.partitioner import partition_of
from shared.contracts.topics import DESKS_COMMANDS
from tests.intake.live import SwitchedKafka
from tests.watch.scrape import Recorder

ALWAYS = frozenset({"DeadMansSwitch"})
CRASH = {
    "text": "รถชนกันหน้าตลาดสดเพชรบูรณ์ มีคนเจ็บ",
    "category": "road_accident",
    "point": {"lat": 16.419, "lon": 101.155},
}
DESK = b"police-6703"
NOWHERE = {"text": "เสียงดัง", "category": "noise"}
PATIENT = {"ACKNOWLEDGE_SECONDS": "3600"}
"""Settings with which nobody is escalated."""
DISK = "DISK"
FIVE_AHEAD = """
import os, runpy
from datetime import UTC, datetime, timedelta
now = datetime.now(UTC)
os.environ |= {"CLOCK_ANCHOR": now.isoformat(), "CLOCK_START": (now + timedelta(seconds=5)).isoformat()}
runpy.run_module("services.geo.app", run_name="__main__")
"""
ON_SMALL_DISK = """
import os, runpy
os.environ["STORE_URL"] = f"sqlite:///{os.environ['DISK']}/intake.db"
runpy.run_module("services.intake.app", run_name="__main__")
"""


@dataclass
class Scene:
    """A running world with a recorder on it."""

    day: Day
    world: World
    hook: Hook
    probe: ServerProcess
    recorder: Recorder
    client: httpx.AsyncClient

    async def report(self, body: Mapping[str, Any]) -> int:
        """Post a report; return the status of the answer."""
        headers = {"Idempotency-Key": uuid4().hex, "X-Device-Id": uuid4().hex}
        answer = await self.client.post(f"{self.world.api('intake')}/v1/reports", json=body, headers=headers)
        return answer.status_code

    async def agree(self, **lasting: int) -> None:
        """Publish the day's agreements; `lasting`: seconds that an agency's own lasts, a year without."""
        partners = [p.model_copy(update={"seconds": lasting.get(p.agency)}) for p in self.day.partners]
        await asyncio.to_thread(publish, self.world, partners, datetime.now(UTC))

    async def passes(self, seconds: float) -> None:
        """Let the recording go on for so long."""
        scrapes = self.recorder.scrapes + seconds / 5
        while self.recorder.scrapes < scrapes:
            await asyncio.sleep(0.2)


Play = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Situation:
    """How it is provoked, and what must be firing at each mark."""

    play: Play
    firing: Mapping[str, frozenset[str]]
    settings: Mapping[str, str] = field(default_factory=dict)
    programs: Mapping[str, str] = field(default_factory=dict)
    """Python text that runs a service in another way than usual."""


async def healthy(scene: Scene) -> None:
    """Test reports come back, people report, agencies are told."""
    await scene.agree()
    for _ in range(12):
        assert await scene.report(CRASH) == 202
        await scene.passes(15)
    scene.recorder.mark("well")


async def people(scene: Scene) -> None:
    """A webhook that refuses, an agreement of three days, a task nobody takes, a clock ahead, poison."""
    await scene.agree(rescue=3 * 86400)
    scene.hook.failures = 10_000
    assert await scene.report(CRASH) == 202
    async with AIOKafkaProducer(bootstrap_servers=scene.world.kafka) as producer:
        for _ in range(3):
            place = partition_of(DESK, DESKS_COMMANDS.partitions)
            await producer.send_and_wait(DESKS_COMMANDS.name, b"no event", DESK, partition=place)
        for _ in range(150):
            await producer.send_and_wait("agency.rescue.responses", b"no event", b"key", partition=0)
    await scene.passes(40)
    scene.recorder.mark("at once")
    await scene.passes(60)
    scene.recorder.mark("later")


async def stalled(scene: Scene) -> None:
    """The stores of dispatch and of notify stand still while people report; then they go on."""
    await scene.agree()
    assert await scene.report(CRASH) == 202
    await scene.passes(20)
    with locked(scene.world, "notify"):
        assert await scene.report(CRASH) == 202
        await scene.passes(15)
        with locked(scene.world, "dispatch"):
            until = scene.recorder.scrapes + 40
            while scene.recorder.scrapes < until:
                await asyncio.gather(*(scene.report(NOWHERE) for _ in range(24)), asyncio.sleep(1))
            scene.recorder.mark("stalled")
    await scene.passes(75)
    scene.recorder.mark("afterwards")


async def broker_away(scene: Scene) -> None:
    """Kafka does not answer for three minutes, while people report."""
    await scene.agree()
    assert await scene.report(CRASH) == 202
    await scene.passes(20)
    kafka = cast(SwitchedKafka, scene.world.server)
    SwitchedKafka.set_up(kafka, up=False)
    assert await scene.report(CRASH) == 202
    await scene.passes(200)
    scene.recorder.mark("away")
    SwitchedKafka.set_up(kafka, up=True)
    await scene.passes(45)
    scene.recorder.mark("back")


async def service_gone(scene: Scene) -> None:
    """Geo dies and nobody starts it again."""
    await scene.passes(15)
    scene.world.processes["geo"].kill()
    await scene.passes(215)
    scene.recorder.mark("gone")


async def store_full(scene: Scene) -> None:
    """The disk of intake's store is full."""
    await scene.passes(10)
    filler = scene.world.folder / "disk" / "filler"
    with filler.open("wb") as file:
        while True:
            try:
                file.write(bytes(4096))
                file.flush()
            except OSError:
                break
    for _ in range(80):
        await scene.report(CRASH)
        await asyncio.sleep(1)
    scene.recorder.mark("full")
    filler.unlink()
    answers = [await scene.report(CRASH) for _ in range(10)]
    assert answers[-1] == 202, answers


def locked(world: World, service: str) -> Any:
    """Hold a service's database for as long as the context lasts."""
    held = sqlite3.connect(world.folder / f"{service}.db", isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    return closing(held)


SITUATIONS: dict[str, Situation] = {
    "healthy": Situation(healthy, {"well": frozenset()}, PATIENT),
    "people": Situation(
        people,
        {
            "at once": frozenset(
                {"DeadLetters", "KeysParked", "InputPaused", "AgreementEnds", "NobodyAcknowledges"}
            ),
            "later": frozenset(
                {
                    "DeadLetters",
                    "KeysParked",
                    "AgreementEnds",
                    "NobodyAcknowledges",
                    "DeliveriesFail",
                    "ClockOff",
                }
            ),
        },
        programs={"geo": FIVE_AHEAD},
    ),
    "stalled": Situation(
        stalled,
        {
            "stalled": frozenset({"InputStalled", "LagGrows", "OutsideAway", "TimersLate", "ProbeAway"}),
            "afterwards": frozenset({"InputStalled", "StreamLate"}),
        },
        {"ACKNOWLEDGE_SECONDS": "60"},
    ),
    "broker_away": Situation(
        broker_away,
        {
            "away": frozenset({"OutsideAway", "ProducerReplaced", "ProbeAway"}),
            "back": frozenset({"OutsideAway", "ProducerReplaced"}),
        },
        PATIENT,
    ),
    "service_gone": Situation(service_gone, {"gone": frozenset({"ServiceGone", "ProbeAway"})}, PATIENT),
    "store_full": Situation(
        store_full,
        {"full": frozenset({"IntakeFails", "DiskFills", "OutsideAway"})},
        PATIENT,
        {"intake": ON_SMALL_DISK},
    ),
}
