"""The live picture: what the independent clients see, as tables in a terminal and as lines elsewhere."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from deploy.local.demo.play import Stage

REFRESH_SECONDS = 0.5
LANES = ("reports.received.urgent", "reports.received", "reports.located.urgent", "reports.located")
BUSIEST = 12


@asynccontextmanager
async def picture(stage: Stage) -> AsyncIterator[None]:
    """Show the stage for as long as the context lasts."""
    task = asyncio.create_task(_tables(stage) if sys.stdout.isatty() else _lines(stage))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _tables(stage: Stage) -> None:
    with Live(refresh_per_second=4) as live:
        while True:
            live.update(Group(*tables(stage)))
            await asyncio.sleep(REFRESH_SECONDS)


def tables(stage: Stage) -> list[RenderableType]:
    """Return the picture: progress, lanes, desks, deliveries."""
    return [_progress(stage), _lanes(stage), _desks(stage), _deliveries(stage)]


async def _lines(stage: Stage) -> None:
    before = ""
    while True:
        if (now := line(stage)) != before:
            print(now, flush=True)
            before = now
        await asyncio.sleep(4 * REFRESH_SECONDS)


def line(stage: Stage) -> str:
    """Return the picture in one line."""
    told = ", ".join(f"{code} {_told(stage, code)}" for code in stage.partners)
    views = stage.plot.views.values()
    closed = sum(view["lifecycle"] == "closed" for view in views)
    return (
        f"{stage.chapter}: {len(stage.reporters.accepted)} reports, {len(views)} incidents, {closed} closed; "
        f"told: {told}; webhook {len(stage.hook.got)} taken, {stage.hook.failed} failed"
    )


def _told(stage: Stage, agency: str) -> int:
    return sum(record.kind == "incident.shared" for record in stage.partners[agency].seen)


def _progress(stage: Stage) -> Progress:
    bar = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    total = stage.day.expected.reports_sent
    bar.add_task(stage.chapter, total=total, completed=stage.reporters.sent)
    return bar


def _lanes(stage: Stage) -> Table:
    table = Table("lane", "records", title="Lanes")
    for lane in LANES:
        table.add_row(lane, str(len(stage.witness.of(lane))))
    return table


def _desks(stage: Stage) -> Table:
    table = Table("desk", "open", "closed", title="Desks")
    found = Counter((v["desk"], v["lifecycle"] == "closed") for v in stage.plot.views.values())
    desks = Counter(desk for (desk, _), n in found.items() for _ in range(n))
    for desk, _ in desks.most_common(BUSIEST):
        table.add_row(desk, str(found[desk, False]), str(found[desk, True]))
    return table


def _deliveries(stage: Stage) -> Table:
    table = Table("to", "told", "failed", title="Deliveries")
    for code in stage.partners:
        table.add_row(code, str(_told(stage, code)), "")
    table.add_row("webhook", str(len(stage.hook.got)), str(stage.hook.failed))
    return table
