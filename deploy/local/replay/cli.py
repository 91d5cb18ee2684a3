"""`ruamjai replay`: what operators type."""

import asyncio
import json
import os
import sys
from pathlib import Path

import click

from deploy.local.replay.done import Done, OtherFileError
from deploy.local.replay.outside import outside
from deploy.local.replay.player import StoppedError
from deploy.local.replay.run import Replay
from deploy.local.replay.script import Script, read_script
from deploy.local.replay.summary import Outcome
from shared.bus.admin import operator_command
from shared.pack import PackError
from shared.settings import Settings

MOST_SHOWN = 20
SUFFIX = ".replay"
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=FILE)
@click.option("--url", envvar="INTAKE_URL", default="http://127.0.0.1:8000", show_default=True)
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), help="Default: CLOCK_RATE.")
@click.option("--pack", type=FOLDER, help="The pack that the services use; default: PACK_DIR.")
@click.option("--skip-bad", is_flag=True, help="Play the file without the lines that are wrong.")
@operator_command
async def replay(
    settings: Settings, file: Path, url: str, speed: float | None, pack: Path | None, skip_bad: bool
) -> None:
    """Play the reports in FILE through a running system, with their own spacing divided by the speed.

    Each line is the JSON body of POST /v1/reports and `at`, when the report came in. The services must have
    been started with CLOCK_RATE set to the speed. REPORTS_KEY is an API key with the scope reports.write;
    without it every line is a citizen's device of its own.

    What was answered is kept in FILE.replay: the same command goes on from there, and what is sent twice
    counts once. The last line is the summary as JSON. Ends with 1 when something was lost or refused.
    """
    script = _script(file, skip_bad=skip_bad)
    try:
        strangers = outside(script, pack or settings.pack_dir)
        done = Done(file.with_name(file.name + SUFFIX), script.digest)
    except (PackError, OtherFileError, OSError) as error:
        raise click.ClickException(str(error)) from None
    if strangers:
        _say(f"{strangers} reports lie in no area of the pack: they go to the triage desk")
    key = os.environ.get("REPORTS_KEY")
    wanted = Replay(settings, script, done, url.rstrip("/"), speed or settings.clock_rate, key)
    try:
        _conclude(await wanted.run())
    except StoppedError as stopped:
        raise click.ClickException(f"{stopped}\n{_left(script, done)}") from None
    except asyncio.CancelledError:
        _say(_left(script, done))
        raise


def _script(file: Path, *, skip_bad: bool) -> Script:
    """Return the file, checked; without `skip_bad` a wrong line is the end, before anything was sent."""
    script = read_script(file)
    for number, reason in script.bad[:MOST_SHOWN]:
        _say(f"line {number}: {reason}")
    if len(script.bad) > MOST_SHOWN:
        _say(f"... and {len(script.bad) - MOST_SHOWN} more")
    if script.bad and not skip_bad:
        raise click.ClickException(
            f"{len(script.bad)} bad lines, nothing was sent; --skip-bad plays the rest"
        )
    if not script.lines:
        raise click.ClickException(f"{file}: there is no report in it")
    return script


def _left(script: Script, done: Done) -> str:
    left = sum(line.number not in done for line in script.lines)
    return f"{len(script.lines) - left} reports answered, {left} left: the same command goes on from here"


def _conclude(outcome: Outcome) -> None:
    """Say what there is to say, the summary last."""
    for number, reason in list(outcome.done.rejected.items())[:MOST_SHOWN]:
        _say(f"line {number}: refused: {reason}")
    for warning in outcome.warnings():
        _say(warning)
    figures = outcome.figures()
    for name, figure in figures.items():
        each = figure.items() if isinstance(figure, dict) else [("", figure)]
        _say(f"{name.replace('_', ' '):<16} " + ", ".join(f"{who} {n}".strip() for who, n in each))
    click.echo(json.dumps(figures))
    if not figures["ok"]:
        sys.exit(1)


def _say(text: str) -> None:
    click.echo(text, err=True)
