"""`make replay-day`: a city's day, end to end on a system of its own, against what really happened.

RUAMJAI_CITY_DAY names the file of calls; without it there is nothing to do, and the exit code is 66.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx

from deploy.local.demo.day import Partner
from deploy.local.demo.running import running
from deploy.local.demo.witness import Seen
from deploy.local.demo.world import World, publish
from deploy.local.replay.done import Done
from deploy.local.replay.run import Replay
from deploy.local.replay.script import read_script
from deploy.local.replay.summary import Outcome
from deploy.local.unavailable import Unavailable
from shared.clock import ScaledClock
from shared.settings import load_settings
from tests.bench.tables import table
from tests.city.alone import linked
from tests.city.calls import Incident, on_day, read_calls
from tests.city.city import make_pack
from tests.city.fleet import Fleet
from tests.city.judging import Day, Story, linking, problems
from tests.city.reports import AGAIN_SHARE, Told, reports_of, write_reports

CALLS = "RUAMJAI_CITY_DAY"
NO_INPUT = 66
SPEED = 40.0
"""The day in 36 minutes: honest where p99 is 125 ms at most."""
AFTER_SECONDS = 1500.0
"""How long, by the day's own clock, the last units may take to arrive."""
REPORTER, OFFICER = "sensor:river-gauge", "officer:control-room"


@dataclass(frozen=True)
class Cast:
    """Who follows the stream: the ambulances, under an agreement."""

    partners: tuple[Partner, ...] = (
        Partner(
            agency="ems",
            name="ambulances",
            categories=("medical_emergency", "road_accident"),
            areas=("06",),
            fields=("lifecycle", "category", "priority", "point", "place", "tasks"),
        ),
    )
    hooked: str | None = None


def main() -> int:
    """Play the day. 0: all as it must be; 1: something is not, or cannot start; 66: there is no data."""
    options = _options()
    source = os.environ.get(CALLS)
    if not source or not Path(source).is_file():
        print(f"{CALLS} names no file: set it to a CSV of San Francisco's fire calls, one row per unit")
        return NO_INPUT
    calls = read_calls(Path(source))
    if options.linking:
        print(table("Linking alone, by day", list(_every_day(calls, options.seed, options.again))))
        return 0
    chosen = options.date or usual_day(calls)
    try:
        with tempfile.TemporaryDirectory(prefix="ruamjai-city-", ignore_cleanup_errors=True) as folder:
            return asyncio.run(_play(options, calls, chosen, Path(folder)))
    except (Unavailable, RuntimeError, TimeoutError) as error:
        print(f"the day cannot go on: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make replay-day", description=__doc__)
    parser.add_argument("--date", type=date.fromisoformat, help="default: the last day of the file but one")
    parser.add_argument("--hours", type=int, nargs=2, default=(0, 24), metavar=("FROM", "TO"))
    parser.add_argument("--speed", type=float, default=SPEED)
    parser.add_argument("--seed", type=int, default=1, help="of callers' words, and of who calls again")
    parser.add_argument("--again", type=float, default=AGAIN_SHARE, help="share with more than one caller")
    parser.add_argument("--linking", action="store_true", help="judge the linking alone, on every day")
    parser.add_argument("--kafka", choices=["native"], help="start real servers")
    return parser.parse_args()


def usual_day(calls: list[Incident]) -> date:
    """Return the last day but one: of the last the export may have cut something off."""
    days = sorted({call.received.date() for call in calls})
    return days[-2:][0]


def _every_day(calls: list[Incident], seed: int, again: float) -> Iterator[dict[str, object]]:
    """Yield a row for each day: merges without other callers, and merges and pairs with them."""
    for day in sorted({call.received.date() for call in calls}):
        played = on_day(calls, day)
        with tempfile.TemporaryDirectory() as folder:
            pack = make_pack(played, [c for c in calls if c.received.date() != day], Path(folder) / "pack")
        alone = linking(linked(reports_of(played, seed, 0.0), pack))
        found = linking(linked(reports_of(played, seed, again), pack))
        yield {
            "day": day,
            "incidents": alone.incidents,
            "false merges %": round(100 * alone.false_share, 2),
            "with callers: %": round(100 * found.false_share, 2),
            "precision": round(found.precision, 3),
            "recall": round(found.recall, 3),
            "F1": round(found.f1, 3),
        }


async def _play(options: argparse.Namespace, calls: list[Incident], chosen: date, folder: Path) -> int:
    first, last = options.hours
    day = [call for call in on_day(calls, chosen) if first <= call.received.hour < last]
    others = [call for call in calls if call.received.date() != chosen]
    told = reports_of(day, options.seed, options.again)
    print(
        f"{chosen} {first}-{last} h: {len(day)} incidents, {len(told)} reports, seed {options.seed}",
        flush=True,
    )
    pack, file = folder / "pack", folder / "day.jsonl"
    make_pack(day, others, pack)
    write_reports(told, file)
    anchor = datetime.now(UTC)
    clock = ScaledClock(options.speed, told[0].at, anchor)
    extra = _settings(anchor, told[0].at, options.speed, pack)
    with running(Cast(), folder, 0, options.kafka, extra=extra) as world:
        began = time.monotonic()
        story, fleet, outcome = await _on(world, file, told, clock, options.speed, extra)
        return _conclude(story, fleet, outcome, told, time.monotonic() - began)


def _settings(anchor: datetime, start: datetime, speed: float, pack: Path) -> dict[str, str]:
    return {
        "PACK_DIR": str(pack),
        "CLOCK_RATE": str(speed),
        "CLOCK_ANCHOR": anchor.isoformat(),
        "CLOCK_START": start.isoformat(),
        "ACKNOWLEDGE_SECONDS": "60",
    }


async def _on(
    world: World, file: Path, told: list[Told], clock: ScaledClock, speed: float, extra: Mapping[str, str]
) -> tuple[Story, Fleet, Outcome]:
    """Play the file on a running world, with units that answer."""
    await asyncio.to_thread(publish, world, Cast().partners, clock.now())
    script = read_script(file)
    done, story = Done(file.with_suffix(".replay"), script.digest), Story()
    settings = load_settings("ruamjai", {"KAFKA_URL": world.kafka, **extra})
    wanted = Replay(settings, script, done, world.api("intake"), speed, world.credentials.keys[REPORTER])
    async with httpx.AsyncClient(timeout=30) as client:
        fleet = Fleet(told, done, clock, client, world.api("dispatch"), world.bearer(OFFICER))

        def hear(record: Seen) -> None:
            story.hear(record)
            fleet.hear(record)

        wanted.hear.append(hear)
        outcome = await wanted.run(lingering=AFTER_SECONDS / speed)
        fleet.stop()
    return story, fleet, outcome


def _conclude(story: Story, fleet: Fleet, outcome: Outcome, told: list[Told], seconds: float) -> int:
    by_id = {report_id: told[number - 1] for number, report_id in outcome.done.accepted.items()}
    day, figures = Day(story, by_id), outcome.figures()
    found = linking(day.groups())
    summary: dict[str, Any] = figures | {
        "false_merges_percent": round(100 * found.false_share, 2),
        "precision": round(found.precision, 3),
        "recall": round(found.recall, 3),
        "f1": round(found.f1, 3),
        "p1_suppressed": sum(1 for _ in day.suppressed()),
        "p1_merged": day.merged_dangers(),
        "seconds": round(seconds),
    }
    wrong = [*fleet.troubles]
    wrong += problems(day, found, figures, repeated=any(not report.first for report in told))
    print(table("Ours beside the city's: seconds, and units per incident", day.table()))
    for warning in outcome.warnings():
        print(warning)
    for problem in wrong:
        print(f"WRONG  {problem}")
    print(json.dumps(summary | {"ok": not wrong}), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
