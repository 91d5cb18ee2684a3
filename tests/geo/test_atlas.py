"""A point gets its areas, its zones, and the areas whose border is within 150 metres."""

from pathlib import Path

import pytest

from services.geo.atlas import Atlas, Spot
from shared.contracts.values import GeoPoint, Place
from shared.pack.digest import BOUNDARIES
from shared.pack.jurisdiction import Jurisdiction
from tests.pack.packs import collection, feature, loaded, small, square

METRE = 1 / 106_903
"""In degrees of longitude at 16.25° north, from the circumference of a parallel of the ellipsoid."""


def at(jurisdiction: Jurisdiction, lon: float, lat: float = 16.25) -> Spot:
    """What there is at a point."""
    return Atlas(jurisdiction).spot(GeoPoint(lat=lat, lon=lon))


def test_a_point_inside_gets_its_district_and_province(jurisdiction: Jurisdiction) -> None:
    assert at(jurisdiction, 100.5) == Spot("6701", (), Place(amphoe="6701", province="67"))


def test_a_point_outside_gets_nothing(jurisdiction: Jurisdiction) -> None:
    assert at(jurisdiction, 99.9) == Spot()


def test_no_point_gets_nothing(jurisdiction: Jurisdiction) -> None:
    assert Atlas(jurisdiction).spot(None) == Spot()


def test_a_point_on_the_border_belongs_to_the_lowest_code_and_neighbours_the_other(
    jurisdiction: Jurisdiction,
) -> None:
    spot = at(jurisdiction, 101.0)
    assert (spot.area, spot.near) == ("6701", ("6702",))


@pytest.mark.parametrize(("metres", "near"), [(1, ("6702",)), (149, ("6702",)), (151, ()), (1000, ())])
def test_near_means_within_150_metres(
    jurisdiction: Jurisdiction, metres: float, near: tuple[str, ...]
) -> None:
    spot = at(jurisdiction, 101 - metres * METRE)
    assert (spot.area, spot.near) == ("6701", near)


@pytest.mark.parametrize(("metres", "near"), [(149, ("6701",)), (151, ())])
def test_a_point_just_outside_of_everything_is_near_an_area(
    jurisdiction: Jurisdiction, metres: float, near: tuple[str, ...]
) -> None:
    spot = at(jurisdiction, 100 - metres * METRE)
    assert (spot.area, spot.near) == (None, near)


def test_a_zone_reaches_over_the_border(jurisdiction: Jurisdiction) -> None:
    assert at(jurisdiction, 100.95, 16.5).place.zones == ("market",)
    assert at(jurisdiction, 101.05, 16.5).place.zones == ("market",)
    assert at(jurisdiction, 101.05, 16.7).place.zones == ()


def test_where_there_are_sub_districts_the_smallest_area_counts(tmp_path: Path) -> None:
    files = small()
    features = files[BOUNDARIES]["features"]
    tambon = feature("code", "670105", square(100.2, 16.2, 0.2))
    files[BOUNDARIES] = collection(*features, tambon, feature("code", "67", *wide()))
    found = loaded(tmp_path, files)
    assert at(found, 100.3).place == Place(tambon="670105", amphoe="6701", province="67")
    assert at(found, 100.7).place == Place(amphoe="6701", province="67")
    assert at(found, 100.4 - METRE).near == ()
    assert at(found, 100.4 + METRE) == Spot("6701", ("670105",), Place(amphoe="6701", province="67"))


def wide() -> list[list[list[float]]]:
    """A province around both districts."""
    return [[[100, 16], [102, 16], [102, 17], [100, 17], [100, 16]]]
