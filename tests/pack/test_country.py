"""A whole country: its pack is built, and a million points get what plain shapely says."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import shapely
import shapely.affinity
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from services.geo.atlas import Atlas, Spot
from shared.contracts.values import GeoPoint
from shared.pack.building.build import build
from shared.pack.index import NEAR_METRES
from shared.pack.jurisdiction import Jurisdiction, load_jurisdiction
from shared.pack.metres import metres_per_degree

MAP = os.environ.get("RUAMJAI_MAP")
RECIPE = Path(__file__).with_name("country.yaml")
HALF_A_MILLION = 500_000
DICE = 20261124
Points = NDArray[np.float64]

pytestmark = [
    pytest.mark.skipif(not MAP, reason="expected: RUAMJAI_MAP names no boundary file"),
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Jurisdiction:
    """The pack of the country, loaded from its index."""
    folder = tmp_path_factory.mktemp("country") / "pack"
    made, report = build(Path(MAP or ""), RECIPE, folder)
    assert made is not None, list(report.lines())
    assert report.areas == len(made.areas) > 7000
    found = load_jurisdiction(folder)
    assert found.index is not None
    return found


def anywhere(shapes: Sequence[BaseGeometry], count: int) -> Points:
    """Points in and around the country."""
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    return np.random.default_rng(DICE).uniform(
        (west - 0.1, south - 0.1), (east + 0.1, north + 0.1), (count, 2)
    )


def on_borders(shapes: Sequence[BaseGeometry], count: int) -> Points:
    """Corners of outlines and points along them, half of both moved by less than a millimetre."""
    dice = np.random.default_rng(DICE)
    corners, ring = shapely.get_coordinates(shapely.get_rings(list(shapes)), return_index=True)
    which = dice.choice(np.flatnonzero(ring[1:] == ring[:-1]), count)
    share = np.where(dice.random((count, 1)) < 0.3, 0.0, dice.random((count, 1)))
    exact: Points = corners[which] + share * (corners[which + 1] - corners[which])
    moved: Points = np.where(dice.random((count, 1)) < 0.5, 0.0, dice.uniform(-1e-9, 1e-9, (count, 2)))
    return exact + moved


def answered(country: Jurisdiction, points: Points) -> list[Spot]:
    """What geo answers, a thousand at a time."""
    atlas = Atlas(country)
    asked = [GeoPoint(lon=lon, lat=lat) for lon, lat in points.tolist()]
    slices = [asked[at : at + 1000] for at in range(0, len(asked), 1000)]
    return [spot for some in slices for spot in atlas.spots(some)]


def test_a_million_points_anywhere_and_on_borders_are_where_plain_shapely_says(country: Jurisdiction) -> None:
    codes, shapes = list(country.areas), list(country.areas.values())
    points = np.concatenate([anywhere(shapes, HALF_A_MILLION), on_borders(shapes, HALF_A_MILLION)])
    expected: list[str | None] = [None] * len(points)
    hits = shapely.STRtree(shapes).query(shapely.points(points), predicate="intersects")
    assert len(hits[0]) > len(set(hits[0].tolist()))  # on some borders several areas meet
    for point, shape in hits.T.tolist():
        expected[point] = min(expected[point] or codes[shape], codes[shape])
    assert [spot.area for spot in answered(country, points)] == expected


def test_what_is_near_is_what_plain_distances_say(country: Jurisdiction) -> None:
    codes, shapes = list(country.areas), list(country.areas.values())
    points = np.concatenate([anywhere(shapes, 20_000), on_borders(shapes, 20_000)])
    close: list[set[str]] = [set() for _ in points]
    rough = shapely.STRtree(shapes).query(shapely.points(points), predicate="dwithin", distance=0.0015)
    for point, shape in rough.T.tolist():
        south, north = shapes[shape].bounds[1::2]
        scale = metres_per_degree((south + north) / 2)
        flat = shapely.affinity.scale(shapes[shape], *scale, origin=(0, 0))
        if shapely.distance(flat, shapely.Point(points[point] * scale)) <= NEAR_METRES:
            close[point].add(codes[shape])
    for spot, found in zip(answered(country, points), close, strict=True):
        assert {*spot.near} == found - {spot.area}


def test_one_at_a_time_answers_the_same(country: Jurisdiction) -> None:
    shapes = list(country.areas.values())
    points = np.concatenate([anywhere(shapes, 30_000), on_borders(shapes, 30_000)])
    atlas = Atlas(country)
    alone = [atlas.spot(GeoPoint(lon=lon, lat=lat)) for lon, lat in points.tolist()]
    assert alone == answered(country, points)
