"""The demonstration pack is sound, says that it is approximate, and knows Phetchabun."""

from collections.abc import Iterator

import pytest
import shapely

from shared.contracts.values import Priority
from shared.pack import Pack, load_pack
from shared.pack.jurisdiction import Jurisdiction, load_jurisdiction

TOWNS = {  # district offices, longitude and latitude
    "6701": (101.157, 16.419),
    "6702": (100.860, 16.189),
    "6703": (101.247, 16.777),
    "6704": (101.232, 16.886),
    "6705": (101.107, 15.657),
    "6706": (101.065, 15.466),
    "6707": (101.062, 15.990),
    "6708": (100.999, 15.819),
    "6709": (101.670, 16.770),
    "6710": (100.803, 16.320),
    "6711": (100.993, 16.630),
}
CATEGORIES = [
    *("brawl", "theft", "drugs", "noise", "suspicious_person", "domestic_violence", "missing_person"),
    *("road_accident", "fire", "flood", "medical_emergency", "street_light", "stray_animal"),
    *("other", "unknown"),
]


@pytest.fixture(scope="module")
def demo() -> Jurisdiction:
    """The pack that is used where none is given."""
    return load_jurisdiction()


@pytest.fixture(scope="module")
def pack() -> Pack:
    """The same without shapes."""
    return load_pack()


def test_it_says_that_it_is_approximate(pack: Pack) -> None:
    assert pack.approximate


def test_every_town_lies_in_its_own_district(demo: Jurisdiction) -> None:
    assert set(demo.areas) == set(TOWNS)
    for code, (lon, lat) in TOWNS.items():
        assert [c for c, shape in demo.areas.items() if shapely.intersects_xy(shape, lon, lat)] == [code]


def test_the_districts_tile_the_province_edge_to_edge(demo: Jurisdiction) -> None:
    shapes = list(demo.areas.values())
    assert shapely.coverage_is_valid(shapes)
    whole = shapely.union_all(shapes)
    assert isinstance(whole, shapely.Polygon)
    assert not list(whole.interiors)


def test_each_zone_lies_in_one_district(demo: Jurisdiction) -> None:
    assert len(demo.zones) == 3
    for zone in demo.zones.values():
        assert sum(shapely.contains(area, zone) for area in demo.areas.values()) == 1


def test_every_role_that_is_sent_has_a_desk_everywhere(pack: Pack) -> None:
    for _, role, _ in sent(pack):
        assert all(pack.desk_for(role, area) for area in TOWNS)


def test_somebody_can_be_sent_to_every_category(pack: Pack) -> None:
    able = {(pack.desk_by_code[unit.desk].role, kind) for unit in pack.units for kind in unit.kinds}
    assert {(role, kind) for _, role, kind in sent(pack)} <= able


def test_an_escalation_always_ends_at_another_desk(pack: Pack) -> None:
    assert all(desk.partner and desk.partner != desk.code for desk in pack.desks)


def test_a_brawl_needs_an_ambulance_only_when_somebody_is_hurt(pack: Pack) -> None:
    assert [r.role for r in pack.response("brawl", Priority.P1)] == ["police", "medical"]
    assert [r.role for r in pack.response("brawl", Priority.P3)] == ["police"]


def sent(pack: Pack) -> Iterator[tuple[str, str, str]]:
    """Category, role and kind of everything that goes to anything."""
    for category in CATEGORIES:
        for priority in Priority:
            for response in pack.response(category, priority):
                yield category, response.role, response.kind
