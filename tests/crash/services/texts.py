"""What people report: the scenes of the demonstration's day, moved about the province, in endless supply."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deploy.local.demo.day import Scene, load_day
from tests.crash.services.canaries import LANDMARK, Canaries

MOVED_DEGREES = 0.04
"""How far a scene may be from where the day has it."""
APART_DEGREES = 0.0003
"""Between people who see the same thing: some thirty metres."""
AT_ONCE = 8
"""Scenes that people are reporting at the same time."""
LEAST, MOST = 1, 7
"""Reports of one scene."""
LANDMARK_EVERY = 5


@dataclass
class _Playing:
    scene: Scene
    at: tuple[float, float] | None
    left: int


class Texts:
    """Bodies for `POST /v1/reports`, each with canaries of its own."""

    def __init__(self, seed: int, canaries: Canaries) -> None:
        self._random, self._canaries = random.Random(seed), canaries
        self._scenes = list(load_day().scenes)
        self._playing = [self._another() for _ in range(AT_ONCE)]
        self._serial = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while True:
            number = self._random.randrange(AT_ONCE)
            playing = self._playing[number]
            yield self._body(playing)
            playing.left -= 1
            if not playing.left:
                self._playing[number] = self._another()

    def urgent(self) -> dict[str, Any]:
        """Return a report of something new that is a matter of life and death."""
        [scene, *_] = [s for s in self._scenes if s.priority == "P1" and s.at and s.status == "actual"]
        return self._body(self._moved(scene))

    def _another(self) -> _Playing:
        return self._moved(self._random.choice(self._scenes))

    def _moved(self, scene: Scene) -> _Playing:
        return _Playing(scene, self._near(scene.at, MOVED_DEGREES), self._random.randint(LEAST, MOST))

    def _near(self, at: tuple[float, float] | None, degrees: float) -> tuple[float, float] | None:
        if at is None:
            return None
        lat, lon = (round(value + self._random.uniform(-degrees, degrees), 6) for value in at)
        return lat, lon

    def _body(self, playing: _Playing) -> dict[str, Any]:
        self._serial += 1
        planted = self._canaries.plant(self._serial)
        text = self._random.choice(playing.scene.reports)
        if self._serial % LANDMARK_EVERY == 0:
            text += f" ใกล้ {LANDMARK}{self._serial}"
        at = self._near(playing.at, APART_DEGREES)
        return {
            "text": f"{text} โทร {planted.phone} บัตร {planted.citizen} ครับ",
            "channel": "web",
            "status": playing.scene.status,
            "point": at and {"lat": at[0], "lon": at[1]},
            "reporter": {
                "name": f"สมชาย {planted.mark}",
                "phone": planted.phone,
                "line_id": planted.mark,
                "address": f"บ้านเลขที่ {planted.mark}",
            },
        }
