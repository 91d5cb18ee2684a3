"""`ruamjai load`: reports at a given rate against a running system, timed where agencies see them."""

import asyncio
import time
from collections.abc import Callable
from typing import TextIO

import click

from shared.bus.admin import operator_command
from shared.settings import Settings

LOOK_SECONDS = 0.05


@click.command()
@click.option("--url", envvar="INTAKE_URL", default="http://127.0.0.1:8000", show_default=True,
              help="Intake's base URL; also INTAKE_URL.")  # fmt: skip
@click.option(
    "--agency",
    "agencies",
    multiple=True,
    metavar="CODE",
    help="Time at this agency's topic; may be repeated.",
)
@click.option(
    "--rate", type=click.FloatRange(0.01, 10_000), default=10.0, show_default=True, help="Reports a second."
)
@click.option("--seconds", type=click.FloatRange(1, 86_400), default=60.0, show_default=True)
@click.option("--mix", default="ordinary=6,urgent=1,repeat=3", show_default=True,
              help="Shares of new incidents, of those about life and death, of further reports.")  # fmt: skip
@click.option("--connections", type=click.IntRange(1, 1_000), default=32, show_default=True)
@click.option("--keys", type=click.File(), help="API keys with reports.write, one a line, in turn; without "
              "it each report comes from a device of its own.")  # fmt: skip
@click.option("--patience", type=click.FloatRange(0), default=30.0, show_default=True,
              help="Seconds without news after which what has not come is missing.")  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True)
@operator_command
async def load(
    settings: Settings,
    url: str,
    agencies: tuple[str, ...],
    rate: float,
    seconds: float,
    mix: str,
    connections: int,
    keys: TextIO | None,
    patience: float,
    seed: int,
) -> None:
    """Report at random times, RATE a second on average, whether or not earlier answers have come.

    What is reported is ACTUAL and reaches people: only for a system that nobody depends on. Prints tables,
    and last the same as JSON on one line. An agency hears of a repeat only where its agreement grants
    `reports`, and of nothing again that a load of the same SEED has reported before. PACK_DIR says where
    the places are, KAFKA_URL where the topics.
    """
    from shared.load.drive import Driver
    from shared.load.figures import Figures
    from shared.load.mix import People, parse_mix, points_of  # other commands need not wait for the geometry
    from shared.load.watch import watching

    try:
        people = People(parse_mix(mix), points_of(settings.pack_dir, seed), seed)
        driver = Driver(url, people, connections, keys.read().split() if keys else ())
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    async with watching(settings, agencies) as seen:
        outcome = await driver.drive(rate, seconds, seed)
        await _settled(
            lambda: [len(outcome.accepted.keys() - traces.keys()) for traces in seen.values()], patience
        )
    for line in Figures(rate, outcome, seen).lines():
        click.echo(line)


async def _settled(missing: Callable[[], list[int]], patience: float) -> None:
    """Return when nothing is missing, or when that has not changed for `patience` seconds."""
    before, since = missing(), time.perf_counter()
    while any(before) and time.perf_counter() - since < patience:
        await asyncio.sleep(LOOK_SECONDS)
        if (now := missing()) != before:
            before, since = now, time.perf_counter()
