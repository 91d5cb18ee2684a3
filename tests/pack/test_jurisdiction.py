"""What is wrong with a pack is said all at once, with its file, its feature and the reason."""

from pathlib import Path
from typing import Any

import pytest

from shared.pack import PackError
from shared.pack.digest import BOUNDARIES, ZONES
from shared.pack.jurisdiction import load_jurisdiction
from shared.pack.load import FILE
from tests.pack.packs import Json, collection, feature, loaded, problems, small, square

BOWTIE = [[100.0, 16.0], [101.0, 17.0], [101.0, 16.0], [100.0, 17.0], [100.0, 16.0]]


def with_areas(*features: Json) -> dict[str, Json]:
    """The small pack with other areas, and a desk for each of them."""
    files = small()
    files[BOUNDARIES] = collection(*features)
    return files


def with_west(ring: list[list[float]], name: object = "6701") -> dict[str, Json]:
    """The small pack with another shape of its western district."""
    return with_areas(feature("code", name, ring), feature("code", "6702", square(101, 16)))


def test_a_sound_pack_is_loaded_with_its_shapes(tmp_path: Path) -> None:
    found = loaded(tmp_path, small())
    assert set(found.areas) == {"6701", "6702"}
    assert found.zones["market"].bounds == pytest.approx((100.9, 16.4, 101.1, 16.6))
    assert found.pack.triage_desk == "triage"


@pytest.mark.parametrize(
    ("ring", "said"),
    [
        (BOWTIE, "bad geometry: Self-intersection[100.5 16.5]"),
        (square(100, 16)[:4], "1 of 1 rings do not end where they begin"),
        (square(100, 16)[:3], "geometry.Polygon.coordinates.0: List should have at least 4 items"),
        ([[lat, lon] for lon, lat in square(100, 16)], "they seem to be the other way round"),
        ([[lon * 7000, lat * 1e5] for lon, lat in square(100, 16)], "metres of a projection such as UTM"),
        (square(179.5, 16), "2 positions are out of range"),
    ],
)
def test_a_shape_that_cannot_be_used_is_named_with_its_reason(
    tmp_path: Path, ring: list[list[float]], said: str
) -> None:
    [problem] = problems(tmp_path, with_west(ring))
    assert problem.startswith("boundaries.geojson: feature 1 (6701): ")
    assert said in problem


@pytest.mark.parametrize("name", [6701, "67-01", "670", None, "๖๗๐๑", ["6701"]])
def test_a_code_is_a_text_of_two_four_or_six_digits(tmp_path: Path, name: object) -> None:
    files = with_west(square(100, 16), name)
    files[FILE]["desks"][1]["areas"] = []
    assert problems(tmp_path, files) == [
        "boundaries.geojson: feature 1: properties.code is missing or malformed; it is a text"
    ]


@pytest.mark.parametrize(
    ("geometry", "said"),
    [
        ({"type": "Point", "coordinates": [100, 16]}, "does not match any of the expected tags"),
        ({"type": "Polygon", "coordinates": [[["100", "16"]] * 4]}, "Input should be a valid number"),
        (None, "geometry"),
    ],
)
def test_what_is_no_polygon_of_numbers_is_refused(tmp_path: Path, geometry: Any, said: str) -> None:
    files = with_west(square(100, 16))
    files[BOUNDARIES]["features"][0]["geometry"] = geometry
    found = problems(tmp_path, files)
    assert all(problem.startswith("boundaries.geojson: feature 1 (6701): geometry") for problem in found)
    assert said in found[0]
    assert len(found) <= 3


def test_a_code_that_two_areas_have_is_said_of_the_second(tmp_path: Path) -> None:
    files = with_areas(*small()[BOUNDARIES]["features"], feature("code", "6701", square(102, 16)))
    assert problems(tmp_path, files) == [
        "boundaries.geojson: feature 3 (6701): another feature has the code 6701"
    ]


def test_areas_that_overlap_are_said_with_the_size(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, with_west(square(100.5, 16)))
    assert problem.startswith("boundaries.geojson: 6702: 5")
    assert problem.endswith("km² of it are also in 6701")


def test_a_sliver_between_outlines_drawn_one_by_one_is_no_mistake(tmp_path: Path) -> None:
    assert problems(tmp_path, with_west(square(100.0000005, 16))) == []


def test_a_hole_that_no_area_covers_is_said_with_its_place(tmp_path: Path) -> None:
    west = feature("code", "6701", square(100, 16), square(100.4, 16.4, 0.1)[::-1])
    [problem] = problems(tmp_path, with_areas(west, feature("code", "6702", square(101, 16))))
    assert "around latitude 16.45000, longitude 100.45000" in problem


def test_a_hole_that_another_area_fills_is_no_mistake(tmp_path: Path) -> None:
    west = feature("code", "6701", square(100, 16), square(100.4, 16.4, 0.1)[::-1])
    inner = feature("code", "6703", square(100.4, 16.4, 0.1))
    assert problems(tmp_path, with_areas(west, inner, feature("code", "6702", square(101, 16)))) == []


def test_a_sub_district_lies_in_its_district(tmp_path: Path) -> None:
    features = small()[BOUNDARIES]["features"]
    inside = feature("code", "670101", square(100.2, 16.2, 0.2))
    assert problems(tmp_path, with_areas(*features, inside)) == []
    outside = feature("code", "670101", square(99.9, 16.2, 0.2))
    [problem] = problems(tmp_path, with_areas(*features, outside))
    assert problem.startswith("boundaries.geojson: 670101: ")
    assert problem.endswith("of it are outside of 6701")


def test_a_desk_for_an_area_that_no_boundary_is_in_is_named(tmp_path: Path) -> None:
    files = small()
    files[FILE]["desks"][1]["areas"] = ["6701", "6801", "670101"]
    assert problems(tmp_path, files) == [
        "pack.yaml: desks: west: no boundary is in the area 6801",
        "pack.yaml: desks: west: no boundary is in the area 670101",
    ]


def test_zones_and_their_polygons_belong_together(tmp_path: Path) -> None:
    files = small()
    files[ZONES] = collection(feature("id", "markt", square(100.9, 16.4, 0.2)))
    assert problems(tmp_path, files) == [
        "pack.yaml: zones: market: it has no polygon in zones.geojson",
        "zones.geojson: markt: it is no zone of pack.yaml",
    ]


def test_a_pack_without_zones_needs_no_file_for_them(tmp_path: Path) -> None:
    files = small()
    files[FILE]["zones"] = []
    del files[ZONES]
    assert problems(tmp_path, files) == []


def test_a_missing_file_is_said_once(tmp_path: Path) -> None:
    files = small()
    del files[BOUNDARIES], files[ZONES]
    found = problems(tmp_path, files)
    assert [problem.split(":")[0] for problem in found] == [BOUNDARIES, ZONES]


@pytest.mark.parametrize(("name", "sound"), [("urn:ogc:def:crs:OGC:1.3:CRS84", True), ("EPSG:32647", False)])
def test_a_reference_system_other_than_degrees_is_refused(tmp_path: Path, name: str, sound: bool) -> None:
    files = small()
    files[BOUNDARIES]["crs"] = {"type": "name", "properties": {"name": name}}
    assert (problems(tmp_path, files) == []) is sound


def test_mistakes_in_all_files_are_said_at_once(tmp_path: Path) -> None:
    files = small()
    files[FILE]["triage_desk"] = "nobody"
    files[FILE]["units"][0]["desk"] = "nowhere"
    files[BOUNDARIES]["features"][0]["geometry"]["coordinates"] = [BOWTIE]
    files[BOUNDARIES]["features"][1]["properties"]["code"] = "67022"
    files[ZONES]["features"][0]["geometry"]["coordinates"][0].pop()
    assert [problem.split(": ")[0] for problem in problems(tmp_path, files)] == [
        FILE,
        FILE,
        BOUNDARIES,
        BOUNDARIES,
        ZONES,
        FILE,
        FILE,
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"{" * 5000,
        b"- 2026-13-45",
        b"a: &a [*a]",
        b"? {}",
        b"!!timestamp noon",
        b"!!int ''",
    ],
)
@pytest.mark.parametrize("file", [FILE, BOUNDARIES, ZONES])
def test_a_file_that_is_something_else_is_an_error_of_the_pack(
    tmp_path: Path, file: str, content: bytes
) -> None:
    assert problems(tmp_path, small()) == []
    (tmp_path / file).write_bytes(content)
    with pytest.raises(PackError) as error:
        load_jurisdiction(tmp_path)
    assert any(problem.startswith(f"{file}: ") for problem in error.value.problems)
