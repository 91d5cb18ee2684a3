"""The live picture: lanes, desks and deliveries as the clients have seen them."""

from pathlib import Path

import httpx
from rich.console import Console, Group

from deploy.local.demo.credentials import made
from deploy.local.demo.day import load_day
from deploy.local.demo.hook import Hook
from deploy.local.demo.picture import line, tables
from deploy.local.demo.play import Stage
from deploy.local.demo.plot import Plot
from deploy.local.demo.reporters import Reporters
from deploy.local.demo.witness import Reader
from deploy.local.demo.world import World
from tests.demo.made import incident, record, shared


async def a_stage() -> Stage:
    """A stage on which one incident has been played."""
    day = load_day()
    async with httpx.AsyncClient() as client:
        reporters = Reporters("http://127.0.0.1:1", client)
    opened = incident(1, "incident.opened", "r1")
    witness = Reader(seen=[record("reports.received.urgent", "report.received", "a", {}), opened])
    stage = Stage(day, World(Path(), "", None, made(day)), Hook(0), reporters, Plot(day, reporters), witness)
    stage.plot.hear(opened)
    stage.partners["rescue"] = Reader(seen=[shared(1)])
    return stage


async def test_a_terminal_shows_lanes_desks_and_deliveries() -> None:
    console = Console(width=100)
    with console.capture() as shown:
        console.print(Group(*tables(await a_stage())))
    for word in ("reports.received.urgent", "police-6701", "rescue", "webhook"):
        assert word in shown.get()


async def test_elsewhere_the_same_is_one_line() -> None:
    assert "1 incidents, 1 closed; told: rescue 1" in line(await a_stage())
