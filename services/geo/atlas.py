"""What there is at a point: its areas, its zones, and the areas whose border is close."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import shapely
from shapely.geometry.base import BaseGeometry

from shared.contracts.values import GeoPoint, Place
from shared.pack.index import NEAR_METRES, Index
from shared.pack.jurisdiction import Jurisdiction
from shared.pack.metres import metres_per_degree

MOST_ZONES = 32
"""What a Place holds; only a mistaken pack has more at one point, and no report is refused for it."""
REMEMBERED = 16_384
"""Areas times combinations of zones: more than a country has."""


class Spot(NamedTuple):
    """A point on the map. `area` is the smallest area it is in, `near` are others within 150 metres."""

    area: str | None = None
    near: tuple[str, ...] = ()
    place: Place = Place()


NOWHERE = Spot()


class Flat:
    """A shape in metres, so that a distance can be asked of it.

    The scale is that of its middle latitude. At 16° north it is off by 0.3 % half a degree away: half a metre
    in 150 at the ends of a shape as high as a degree.
    """

    def __init__(self, shape: BaseGeometry) -> None:
        _, south, _, north = shape.bounds
        self._scale = metres_per_degree((south + north) / 2)
        self._shape = shapely.transform(shape, lambda degrees: degrees * self._scale)
        shapely.prepare(self._shape)

    def within(self, lon: float, lat: float, metres: float) -> bool:
        """Return whether the point is in the shape or no further away from it than `metres`."""
        point = shapely.Point(lon * self._scale[0], lat * self._scale[1])
        return bool(shapely.dwithin(self._shape, point, metres))


class Atlas:
    """The areas and zones of a jurisdiction, ready to be asked."""

    def __init__(self, jurisdiction: Jurisdiction) -> None:
        index = jurisdiction.index or Index.of(jurisdiction.areas, jurisdiction.zones)
        self._codes, self._areas = index.areas.names, index.areas.grid
        self._zone_ids, self._zones = index.zones.names, index.zones.grid
        self._flat = [Flat(shape) for shape in self._areas.shapes.tolist()]

    def spot(self, point: GeoPoint | None) -> Spot:
        """Return what is at `point`. On a border the area with the lowest code has it."""
        if point is None:
            return NOWHERE
        lon, lat = point.lon, point.lat
        cell = self._areas.cell(lon, lat)
        inside = self._areas.around(lon, lat, cell)
        area = smallest(self._codes[i] for i in inside)
        others = [i for i in (*cell.crossing, *cell.near) if i not in inside]
        close = [self._codes[i] for i in others if self._flat[i].within(lon, lat, NEAR_METRES)]
        near = tuple(code for code in innermost({*close, *(self._codes[i] for i in inside)}) if code != area)
        return Spot(area, near, place_of(area, self._zones_at(lon, lat)))

    def _zones_at(self, lon: float, lat: float) -> tuple[str, ...]:
        found = self._zones.around(lon, lat, self._zones.cell(lon, lat))
        return tuple(sorted(self._zone_ids[i] for i in found)[:MOST_ZONES])


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
