"""What there is at a point: its areas, its zones, and the areas whose border is close."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from services.geo.batch import MOST_UNDECIDED, answers, read
from services.geo.flat import Flat
from shared.contracts.values import GeoPoint, Place
from shared.pack.grid import Floats, Indices, Numbers
from shared.pack.index import NEAR_METRES, Index
from shared.pack.jurisdiction import Jurisdiction

MOST_ZONES = 32
"""What a Place holds; only a mistaken pack has more at one point, and no report is refused for it."""
REMEMBERED = 65_536
"""Combinations of areas and zones around a point: what a country's reports of some days fall into."""
Answer = tuple[int, int, int, int]
"""The entries of both grids with what was answered to their open questions."""


class Spot(NamedTuple):
    """A point on the map. `area` is the smallest area it is in, `near` are others within 150 metres."""

    area: str | None = None
    near: tuple[str, ...] = ()
    place: Place = Place()


NOWHERE = Spot()


class Atlas:
    """The areas and zones of a jurisdiction, ready to be asked."""

    def __init__(self, jurisdiction: Jurisdiction) -> None:
        index = jurisdiction.index or Index.of(jurisdiction.areas, jurisdiction.zones)
        self._codes, self._areas = index.areas.names, index.areas.grid
        self._zone_ids, self._zones = index.zones.names, index.zones.grid
        self._flat = Flat(self._areas.shapes)
        self._known: dict[Answer, Spot] = {}
        self._decided: list[bool] = (self._areas.undecided == 0).tolist()
        self._plain = [
            self._put_together(self._areas.entry(number).covering, (), ()) if decided else NOWHERE
            for number, decided in enumerate(self._decided)
        ]

    def spot(self, point: GeoPoint | None) -> Spot:
        """Return what is at `point`. On a border the area with the lowest code has it."""
        if point is None:
            return NOWHERE
        lon, lat = point.lon, point.lat
        entry, zones = self._areas.number(lon, lat), self._zones.number(lon, lat)
        if not zones and self._decided[entry]:
            return self._plain[entry]
        cell = self._areas.entry(entry)
        inside = self._areas.around(lon, lat, cell)
        others = [i for i in (*cell.crossing, *cell.near) if i not in inside]
        close = [i for i in others if self._flat.within(i, lon, lat, NEAR_METRES)]
        return self._put_together(inside, close, self._zones.around(lon, lat, self._zones.entry(zones)))

    def spots(self, points: Sequence[GeoPoint | None]) -> list[Spot]:
        """Return what `spot` returns for each of many points, in a fraction of the time."""
        where = [number for number, point in enumerate(points) if point is not None]
        known = [point for point in points if point is not None]
        lon, lat = np.array([point.lon for point in known]), np.array([point.lat for point in known])
        spots = self._spots(lon, lat)
        if len(known) == len(points):
            return spots
        found = [NOWHERE] * len(points)
        for number, spot in zip(where, spots, strict=True):
            found[number] = spot
        return found

    def _spots(self, lon: Floats, lat: Floats) -> list[Spot]:
        areas, zones = self._areas.numbers(lon, lat), self._zones.numbers(lon, lat)
        plain = self._plain
        found = [plain[entry] for entry in areas.tolist()]
        undecided = self._areas.undecided[areas]
        rest = np.flatnonzero((undecided > 0) | (zones > 0))
        crowded = undecided[rest] + self._zones.undecided[zones[rest]] > MOST_UNDECIDED
        for number in rest[crowded].tolist():
            found[number] = self.spot(GeoPoint(lon=lon.item(number), lat=lat.item(number)))
        rest = rest[~crowded]
        remembered, learnt = self._known.get, self._learnt
        keys = self._answers(areas[rest], zones[rest], lon[rest], lat[rest])
        for number, key in zip(rest.tolist(), keys, strict=True):
            found[number] = remembered(key) or learnt(key)
        return found

    def _answers(self, areas: Numbers, zones: Numbers, lon: Floats, lat: Floats) -> Iterable[Answer]:
        of_areas = answers(self._areas, areas, lon, lat, (self._flat, NEAR_METRES))
        of_zones = answers(self._zones, zones, lon, lat)
        return zip(areas.tolist(), of_areas.tolist(), zones.tolist(), of_zones.tolist(), strict=True)

    def _learnt(self, answer: Answer) -> Spot:
        area, of_area, zone, of_zone = answer
        inside, close = read(self._areas.entry(area), of_area)
        zones, _ = read(self._zones.entry(zone), of_zone)
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        spot = self._known[answer] = self._put_together(inside, close, zones)
        return spot

    def _put_together(self, inside: Indices, close: Sequence[int], zones: Indices) -> Spot:
        area = smallest(self._codes[i] for i in inside)
        near = innermost({self._codes[i] for i in (*inside, *close)})
        ids = tuple(sorted(self._zone_ids[i] for i in zones)[:MOST_ZONES])
        return Spot(area, tuple(code for code in near if code != area), place_of(area, ids))


def smallest(codes: Iterable[str]) -> str | None:
    """Return the longest code, among equally long ones the lowest; None where there is none."""
    return min(codes, key=lambda code: (-len(code), code), default=None)


def innermost(codes: set[str]) -> list[str]:
    """Return the codes that no other one of them is part of, sorted."""
    return sorted(c for c in codes if not any(o != c and o.startswith(c) for o in codes))


@lru_cache(REMEMBERED)
def place_of(area: str | None, zones: tuple[str, ...]) -> Place:
    """Return the place of a 2-, 4- or 6-digit code: district and province follow from the sub-district."""
    levels = {digits: area[:digits] if area and len(area) >= digits else None for digits in (2, 4, 6)}
    return Place(province=levels[2], amphoe=levels[4], tambon=levels[6], zones=zones)
