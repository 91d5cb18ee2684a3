"""Many points at once get what each of them gets alone: on borders, in crowds of zones, and outside."""

from functools import cache

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from services.geo.atlas import Atlas
from services.geo.batch import MOST_UNDECIDED
from services.geo.handlers import Locator
from shared.contracts.values import GeoPoint
from shared.pack import load_pack
from shared.pack.jurisdiction import Jurisdiction, load_jurisdiction
from tests.bus.support import report
from tests.pack.test_grid import DICE, Maker, anywhere, on_borders, overlapping, ragged

Point = GeoPoint | None


def crowd() -> list[shapely.Polygon]:
    """More circles through one cell than a number has room for."""
    middles = np.random.default_rng(DICE).uniform((101.1, 16.1), (101.103, 16.103), (MOST_UNDECIDED + 9, 2))
    return [shapely.Point(*middle).buffer(0.002) for middle in middles]


@cache
def atlas(make: Maker) -> Atlas:
    """The atlas of ragged areas, with the shapes that `make` makes as zones over them."""
    areas = {str(670_100 + n): shape for n, shape in enumerate(ragged())}
    zones = {f"zone-{n}": shape for n, shape in enumerate(make())}
    return Atlas(Jurisdiction(load_pack(), areas, zones))


@cache
def demo() -> Atlas:
    """The atlas of the demonstration pack."""
    return Atlas(load_jurisdiction())


@pytest.mark.parametrize("make", [overlapping, crowd, list])
def test_a_batch_answers_as_one_at_a_time(make: Maker) -> None:
    found, zones = atlas(make), make()
    points = anywhere(ragged(), 4000) + on_borders(ragged(), 40) + on_borders(zones, 40)
    points += anywhere(zones, 2000) if zones else []
    asked: list[Point] = [GeoPoint(lon=lon, lat=lat) for lon, lat in points]
    asked[7::97] = [None] * len(asked[7::97])
    alone = [found.spot(point) for point in asked]
    assert sum(bool(spot.near) for spot in alone) > 1000
    assert (max(len(spot.place.zones) for spot in alone) > 1) is bool(zones)
    for size in (1, 1000, len(asked)):
        batches = [found.spots(asked[at : at + size]) for at in range(0, len(asked), size)]
        assert [spot for batch in batches for spot in batch] == alone


def test_no_points_are_no_spots() -> None:
    assert demo().spots([]) == []
    assert demo().spots([None]) == [demo().spot(None)]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.none() | st.builds(GeoPoint, lon=st.floats(100.5, 102), lat=st.floats(15.2, 17.3)), max_size=20
    )
)
def test_any_points_in_any_order_get_what_each_gets_alone(points: list[Point]) -> None:
    assert demo().spots(points) == [demo().spot(point) for point in points]


def test_reports_of_a_slice_are_located_as_each_alone() -> None:
    locator = Locator(load_jurisdiction())
    points: list[Point] = [GeoPoint(lon=lon, lat=lat) for lon, lat in anywhere(ragged(), 50)]
    reports = [report(category="fire", point=point) for point in [*points, None]]
    assert locator.locate_all(reports) == [locator.locate(one) for one in reports]
