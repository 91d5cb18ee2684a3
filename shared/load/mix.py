"""Who reports what, and where: shares of new incidents, of urgent ones, and of repeats of those there are."""

import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pydantic_core import to_json

from shared.load.scenes import ORDINARY, PLACES, URGENT, Scene
from shared.pack.jurisdiction import load_jurisdiction

KINDS = ("ordinary", "urgent", "repeat")
DAY = {"ordinary": 6.0, "urgent": 1.0, "repeat": 3.0}
"""A quiet day: of ten calls one is about life and death, and three are about what is known already."""
APART_DEGREES = 0.0003
"""Between people who see the same thing: some thirty metres."""
OPEN = 200
"""How many of the newest incidents people still report again."""
POINTS = 5_000

Point = tuple[float, float]
"""Latitude and longitude, degrees."""


def parse_mix(text: str) -> dict[str, float]:
    """Return the weights in `ordinary=6,urgent=1,repeat=3`. Raises ValueError for anything else."""
    weights = dict.fromkeys(KINDS, 0.0)
    for part in text.split(","):
        name, _, value = part.partition("=")
        if name not in weights:
            raise ValueError(f"{name!r} is none of {', '.join(KINDS)}")
        weights[name] = float(value)
    if min(weights.values()) < 0 or not 0 < sum(weights.values()) < float("inf"):
        raise ValueError("weights are 0 or more, and one of them is more")
    return weights


def points_of(pack: Path | None, seed: int) -> list[Point]:
    """Return places spread over the ground of a pack, people around them included. Raises PackError."""
    shapes = list(load_jurisdiction(pack).areas.values())
    tree, dice = shapely.STRtree(shapes), np.random.default_rng(seed)
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    found: list[Point] = []
    while len(found) < POINTS:
        drawn = dice.uniform((west, south), (east, north), (POINTS, 2))
        inside = np.ones(len(drawn), dtype=bool)
        for corner in product((-APART_DEGREES, APART_DEGREES), repeat=2):
            hit = tree.query(shapely.points(drawn + corner), predicate="intersects")[0]
            inside &= np.isin(np.arange(len(drawn)), hit)
        found += [(round(lat, 6), round(lon, 6)) for lon, lat in drawn[inside].tolist()]
    return found[:POINTS]


@dataclass(frozen=True, slots=True)
class _Happening:
    scene: Scene
    at: Point
    place: str


class People:
    """An endless supply of reports, the same for the same seed: each with its kind, as the body of a POST."""

    def __init__(self, mix: dict[str, float], points: Sequence[Point], seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311  (no secret: what people say)
        self._weights, self._points = [mix[kind] for kind in KINDS], points
        self._open: deque[_Happening] = deque(maxlen=OPEN)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        while True:
            [kind] = self._dice.choices(KINDS, self._weights)
            again = kind == "repeat" and len(self._open) > 0
            happening = (
                self._dice.choice(self._open)
                if again
                else self._new(URGENT if kind == "urgent" else ORDINARY)
            )
            if not again:
                self._open.append(happening)
            yield "urgent" if happening.scene.urgent else kind, to_json(self._body(happening))

    def _new(self, scenes: Sequence[Scene]) -> _Happening:
        place = f"{self._dice.choice(PLACES)} {self._dice.randrange(1000)}"
        return _Happening(self._dice.choice(scenes), self._dice.choice(self._points), place)

    def _body(self, happening: _Happening) -> dict[str, Any]:
        lat, lon = (
            round(value + self._dice.uniform(-APART_DEGREES, APART_DEGREES), 6) for value in happening.at
        )
        return {
            "text": f"{self._dice.choice(happening.scene.words)} {happening.place}",
            "channel": self._dice.choice(("line", "web", "phone")),
            "point": {"lat": lat, "lon": lon},
            "reporter": {"name": "ผู้ทดสอบระบบ", "phone": f"08{self._dice.randrange(10**8):08d}"},
        }
