"""How far a replay is: a bar in a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.local.replay.done import Done
from deploy.local.replay.script import Script

LINE_SECONDS = 10.0


@asynccontextmanager
async def showing(script: Script, done: Done) -> AsyncIterator[Callable[[], None]]:
    """Show it on standard error for as long as the context lasts; yields what is called after each answer."""
    total = len(script.lines)
    if not sys.stderr.isatty():
        yield _lines(total, done)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(script.path.name, total=total, completed=_answered(done))
        yield lambda: bar.update(task, completed=_answered(done))


def _answered(done: Done) -> int:
    return len(done.accepted) + len(done.rejected)


def _lines(total: int, done: Done) -> Callable[[], None]:
    last = 0.0

    def tell() -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_SECONDS or _answered(done) == total:
            last = time.monotonic()
            print(f"{_answered(done)} of {total} reports answered", file=sys.stderr, flush=True)

    return tell
