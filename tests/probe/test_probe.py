"""The probe beside a stand-in for the whole platform: what it sends, what it counts, and what it says."""

import asyncio
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import click
import pytest
from fastapi import FastAPI, HTTPException, Request

from deploy.local.choose import Chosen
from deploy.local.kafka_server import KafkaServer
from deploy.local.ports import free_port
from services.intake.report import NewReport
from services.intake.triage import triage
from services.probe.app import build
from services.probe.metrics import Outcome, ProbeMetrics
from services.probe.rounds import PRIORITIES, body_of
from shared.bus.runtime import Runtime
from shared.cli import COMMANDS
from shared.contracts import Status
from shared.contracts.ids import new_id
from shared.contracts.testing import NOON, an_incident
from shared.contracts.topics import INCIDENTS
from shared.contracts.view import ReportLink
from shared.http import serve
from shared.settings import ConfigurationError
from tests.bus.live import World
from tests.bus.support import record_of, until, value_of

FAST = "60"
"""A minute between two reports lasts a second."""


class Platform:
    """Takes reports and opens an incident for each, unless it is told to refuse or to lose them."""

    def __init__(self, world: World) -> None:
        self.world, self.got = world, list[dict[str, Any]]()
        self.refuses = self.loses = False

    async def report(self, request: Request) -> dict[str, str]:
        """As `POST /v1/reports`; the incident is on the stream before the answer leaves."""
        self.got.append(await request.json())
        if self.refuses:
            raise HTTPException(503)
        report_id = new_id()
        if not self.loses:
            await self.open(report_id)
        return {"report_id": report_id}

    async def open(self, report_id: str) -> None:
        """Publish an actual incident, and a test of this report."""
        incident = an_incident()
        view = incident.view.model_copy(
            update={"reports": (ReportLink(report_id=report_id, linked_at=NOON),)}
        )
        test = incident.model_copy(update={"incident_id": new_id(), "view": view, "status": Status.TEST})
        await self.world.send(record_of(INCIDENTS, incident), record_of(INCIDENTS, test))


@asynccontextmanager
async def platform(world: World, port: int) -> AsyncIterator[Platform]:
    """A platform at `port`."""
    found, app = Platform(world), FastAPI()
    app.post("/v1/reports", status_code=202)(found.report)
    task = asyncio.create_task(serve(app, "127.0.0.1", port))
    yield found
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture
def town(kafka_url: str, chosen_kafka: Chosen[KafkaServer]) -> World:
    """A Kafka with the stream."""
    chosen_kafka.server.create_topic(INCIDENTS.name, INCIDENTS.partitions)
    return World(kafka_url, name="probe", extra={"CLOCK_RATE": FAST})


def metrics_of(runtime: Runtime) -> ProbeMetrics:
    """The probe's own figures."""
    [found] = runtime.service.collectors
    assert isinstance(found, ProbeMetrics)
    return found


async def counted(metrics: ProbeMetrics, outcome: Outcome) -> None:
    """Return when both lanes have had this outcome once more."""
    before = {lane: value_of(metrics.reports, lane, outcome) for lane in PRIORITIES}

    def both() -> bool:
        return all(value_of(metrics.reports, lane, outcome) > count for lane, count in before.items())

    assert await until(both, f"{outcome} on both lanes", 30)


async def test_a_report_that_comes_back_is_timed_and_one_that_does_not_is_told_apart(town: World) -> None:
    port = free_port()
    service = build(town.settings(INTAKE_URL=f"http://127.0.0.1:{port}"))
    async with platform(town, port) as found, town.running(service) as running:
        metrics = metrics_of(running)
        await counted(metrics, Outcome.SEEN)
        assert abs(running.clock.now_ms() / 1000 - value_of(metrics.last_seen)) < 120
        found.refuses = True
        await counted(metrics, Outcome.REFUSED)
        found.refuses, found.loses = False, True
        await counted(metrics, Outcome.LOST)
        assert running.failure is None
    assert {body["status"] for body in found.got} == {"test"}


@pytest.mark.parametrize("lane", PRIORITIES)
def test_intake_takes_what_is_sent_and_puts_it_on_the_lane_that_is_meant(lane: str) -> None:
    sent = NewReport.model_validate(body_of(lane))
    assert sent.status is Status.TEST
    assert triage(sent.text, priority=sent.priority).urgent is (lane == "urgent")


def test_without_an_intake_there_is_nothing_to_probe() -> None:
    with pytest.raises(ConfigurationError, match="INTAKE_URL is needed"):
        build(World("h:1", name="probe").settings())


def test_installed_the_command_is_the_operators_one() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    brought = EntryPoint("probe", project["entry-points"][COMMANDS]["probe"], COMMANDS).load()
    assert isinstance(brought, click.Command)
