"""Makes the file that is played: each call as the city had it, and seeded calls of others who see it too."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import cos, radians
from pathlib import Path
from random import Random
from typing import Any

from tests.city.calls import Incident
from tests.city.triage import category_of, priority_of
from tests.city.words import Scene, scene_of, told

AGAIN_SHARE = 0.3
"""Of incidents that more than one person calls about."""
MOST_AGAIN = 4
SPREAD_METRES = 40.0
"""Standard deviation of where another caller stands, to the north and to the east."""
LATER_SECONDS, LATEST_SECONDS = 180.0, 1200.0
"""When another one calls after the first: exponential with this mean, and never later than that."""
UNSURE_SHARE = 0.2
"""Of other callers who state no category."""
METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class Told:
    """A report and the incident that it is really about. `first`: the call that the city had."""

    at: datetime
    about: Incident
    first: bool
    body: dict[str, Any]


def reports_of(calls: Sequence[Incident], seed: int, share: float = AGAIN_SHARE) -> list[Told]:
    """Return the reports of a day by time; `share` of the incidents have one to four callers more."""
    random = Random(seed)
    found = [report for call in calls for report in _reports(call, random, share)]
    return sorted(found, key=lambda report: report.at)


def write_reports(reports: Sequence[Told], path: Path) -> None:
    """Write the file; the line of a report is its place in `reports`, counted from 1."""
    lines = (json.dumps({"at": report.at.isoformat(), **report.body}) for report in reports)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _reports(call: Incident, random: Random, share: float) -> Iterator[Told]:
    scene = scene_of(category_of(call), call.address, random)
    yield Told(call.received, call, True, _first(call, scene, random))
    if random.random() < share:
        for _ in range(min(MOST_AGAIN, 1 + int(random.expovariate(1)))):
            later = timedelta(seconds=round(min(LATEST_SECONDS, random.expovariate(1 / LATER_SECONDS))))
            yield Told(call.received + later, call, False, _again(call, scene, random))


def _first(call: Incident, scene: Scene, random: Random) -> dict[str, Any]:
    """Return the report of the city's own call taker, whose priority stands."""
    return {
        "text": told(scene, random),
        "category": category_of(call),
        "priority": priority_of(call),
        "point": {"lat": call.lat, "lon": call.lon},
        "channel": "phone",
        "reporter_kind": "officer",
    }


def _again(call: Incident, scene: Scene, random: Random) -> dict[str, Any]:
    north, east = (random.gauss(0, SPREAD_METRES) / METRES_PER_DEGREE for _ in range(2))
    lat, lon = call.lat + north, call.lon + east / cos(radians(call.lat))
    stated = {} if random.random() < UNSURE_SHARE else {"category": category_of(call)}
    point = {"lat": round(lat, 6), "lon": round(lon, 6)}
    return {"text": told(scene, random), "point": point, "channel": "web", **stated}
