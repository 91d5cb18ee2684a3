"""`ruamjai pack build` makes a sound pack of a boundary file, or says what keeps it from doing so."""

import gzip
import json
from pathlib import Path

import pytest
import shapely
from click.testing import Result

from shared.pack.digest import BOUNDARIES, ZONES
from shared.pack.jurisdiction import load_jurisdiction
from shared.pack.load import FILE
from tests.pack.maps import UTM, east, geojson, in_metres, lines, recipe, report, run, tambon, west
from tests.pack.packs import Json, collection, feature, square

BOWTIE = [[100.0, 16.0], [101.0, 17.0], [101.0, 16.0], [100.0, 17.0], [100.0, 16.0]]


def spiked() -> list[list[float]]:
    """A square with a spike of no width, as digitising leaves behind."""
    return [*square(100, 16)[:3], [100.5, 17], [100.5, 17.1], [100.5, 17], *square(100, 16)[3:]]


def built(folder: Path, *features: Json) -> Result:
    """What building a pack of these features says."""
    return run(geojson(folder, *features))


def test_a_pack_is_made_with_codes_names_in_two_languages_and_desks(tmp_path: Path) -> None:
    result = built(tmp_path, east(), west())
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "2 features in EPSG:4326, 2 areas",
        "made is sound: 2 areas, 4 desks, 0 units, 0 zones",
    ]
    found = load_jurisdiction(tmp_path / "pack")
    assert sorted(found.areas) == ["670101", "670102"]
    assert found.areas["670101"].equals(shapely.box(100, 16, 101, 17))
    assert {code: (names.th, names.en) for code, names in found.pack.areas.items()} == {
        "67": ("เพชรบูรณ์", "Phetchabun"),
        "6701": ("เมือง", "Mueang"),
        "670101": ("ตำบลTH670101", "Tambon TH670101"),
        "670102": ("ตำบลTH670102", "Tambon TH670102"),
    }


def test_a_rule_gives_each_area_of_its_level_a_desk_inside_of_it(tmp_path: Path) -> None:
    built(tmp_path, west(), east())
    found = load_jurisdiction(tmp_path / "pack")
    police, lighting = found.pack.desk_for("police", "670102"), found.pack.desk_for("municipal", "670102")
    assert police is not None
    assert lighting is not None
    assert (police.code, police.name.th, police.name.en) == ("police-6701", "โต๊ะเมือง", "Mueang desk")
    assert (lighting.code, lighting.areas, lighting.partner) == (
        "municipal-670102",
        ("670102",),
        "police-6701",
    )
    assert shapely.contains_xy(found.areas["670102"], lighting.point.lon, lighting.point.lat)


def test_the_same_input_is_the_same_bytes_in_any_order_and_over_an_older_pack(tmp_path: Path) -> None:
    built(tmp_path, west(), east())
    first = {path.name: path.read_bytes() for path in (tmp_path / "pack").iterdir()}
    assert built(tmp_path, east(), west()).exit_code == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "pack").iterdir()} == first
    assert {path.name for path in tmp_path.iterdir()} == {"areas.geojson", "recipe.yaml", "pack"}


@pytest.mark.parametrize(("name", "driver"), [("areas.gpkg", "GPKG"), ("areas.shp", "ESRI Shapefile")])
def test_metres_of_a_projection_are_turned_into_degrees(tmp_path: Path, name: str, driver: str) -> None:
    result = run(in_metres(tmp_path, name, driver))
    assert result.output.splitlines()[0] == f"2 features in {UTM}, 2 areas"
    found = load_jurisdiction(tmp_path / "pack")
    assert found.areas["670101"].bounds == pytest.approx((99.0, 16.2808, 99.0936, 16.3713), abs=0.0002)
    assert found.pack.areas["670101"].th == "ตำบลTH670101"


def test_a_file_that_does_not_say_its_reference_system_needs_it_in_the_recipe(tmp_path: Path) -> None:
    boundaries = in_metres(tmp_path, "areas.shp", "ESRI Shapefile")
    (tmp_path / "areas.prj").unlink()
    refused = run(boundaries)
    assert refused.exit_code == 1
    assert "areas.shp: it does not say its reference system: give it as source.crs" in refused.output
    told = recipe()
    told["source"]["crs"] = UTM
    assert run(boundaries, told).exit_code == 0
    told["source"]["crs"] = "EPSG:99"
    assert "EPSG:99 cannot be turned into degrees in WGS 84" in run(boundaries, told).output


def test_a_packed_file_is_read_as_it_is(tmp_path: Path) -> None:
    plain = geojson(tmp_path, west(), east())
    packed = tmp_path / "areas.geojson.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert run(packed).exit_code == 0


def test_numbers_are_codes_as_well(tmp_path: Path) -> None:
    told = recipe()
    told["source"]["prefix"] = ""
    assert run(geojson(tmp_path, tambon(670101, square(100, 16))), told).exit_code == 0
    assert set(load_jurisdiction(tmp_path / "pack").areas) == {"670101"}


@pytest.mark.parametrize(
    ("ring", "said"),
    [
        (square(100, 16)[:4], "a ring did not end where it begins"),
        (spiked(), "Self-intersection[100.5 17.1]"),
    ],
)
def test_what_can_be_mended_without_guessing_is_mended_and_reported(
    tmp_path: Path, ring: list[list[float]], said: str
) -> None:
    result = built(tmp_path, tambon("TH670101", ring), east())
    assert lines(result, "repaired") == [f"repaired: feature 1 (670101): {said}"]
    assert load_jurisdiction(tmp_path / "pack").areas["670101"].equals(shapely.box(100, 16, 101, 17))
    [repair] = report(tmp_path)["repairs"]
    assert (repair["number"], repair["code"], repair["reason"]) == ([1], "670101", said)
    assert repair["km2"] == pytest.approx(0, abs=1e-9)


def test_the_parts_of_an_area_are_put_together(tmp_path: Path) -> None:
    island = tambon("TH670101", square(103, 16))
    result = built(tmp_path, west(), east(), island)
    assert lines(result, "repaired") == [
        "repaired: feature 1, 3 (670101): they have the same code: put together"
    ]
    found = load_jurisdiction(tmp_path / "pack").areas["670101"]
    assert found.equals(shapely.union(shapely.box(100, 16, 101, 17), shapely.box(103, 16, 104, 17)))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (tambon("TH670101", BOWTIE), "(670101): Self-intersection[100.5 16.5]; a repair would change it by"),
        (tambon("TH670101", [[100, 16], [101, 16], [100, 16]]), "(670101): "),
        (tambon("TH670101", [[16, 100], [17, 100], [17, 101], [16, 100]]), "(670101): positions are out of"),
        (tambon("TH6701", square(101, 16)), "(6701): a name of 6701 is missing: DIST_TH, DIST_EN"),
        (tambon("TH67010", square(100, 16)), ": its code is missing or not 2, 4 or 6 digits"),
        (tambon("670101", square(100, 16)), ": its code does not begin with TH"),
        (tambon(None, square(100, 16)), ": its code does not begin with TH"),
        ({**west(), "geometry": None}, "(670101): it has no geometry that can be read"),
        ({**west(), "geometry": {"type": "Point", "coordinates": [100, 16]}}, "(670101): it is no polygon"),
        (tambon("TH670102", square(100.5, 16)), "(670102): they have the same code and overlap"),
        (tambon("TH670102", square(100, 16), th="อื่น"), "(670102): 670102 is อื่นTH670102"),
    ],
)
def test_what_would_be_a_guess_is_rejected_and_nothing_is_written(
    tmp_path: Path, wrong: Json, said: str
) -> None:
    if wrong["properties"]["ID"] == "TH6701":
        wrong["properties"]["DIST_TH"] = "  "
    result = built(tmp_path, east(), wrong)
    assert result.exit_code == 1
    [rejected] = lines(result, "rejected")
    assert rejected.startswith("rejected: feature ")
    assert said in rejected
    assert result.output.splitlines()[-1] == "Error: 1 rejected: nothing was written"
    assert {path.name for path in tmp_path.iterdir()} == {"areas.geojson", "recipe.yaml"}


def test_a_pack_that_would_not_be_sound_is_not_written_either(tmp_path: Path) -> None:
    result = built(tmp_path, tambon("TH670101", square(100.2, 16)), east())
    assert result.exit_code == 1
    assert "boundaries.geojson: 670102: 2" in result.output
    assert {path.name for path in tmp_path.iterdir()} == {"areas.geojson", "recipe.yaml"}


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        (("source", "code"), "id", "it has no property id; it has ID, NAME_TH"),
        (("desk_rules", 0, "code"), "police-{code.x}", "in braces there may be code, th, en"),
        (("desk_rules", 0, "code"), "police-{", "desk_rules.0.code: Value error"),
        (("desk_rules", 0, "partner"), "nobody", "desks: police-6701: its partner nobody is no desk"),
        (("desk_rules", 1, "code"), "{en}", "desks.2.code: String should match pattern"),
        (("desk_rules", 1, "level"), 3, "recipe.yaml: desk_rules.1.level: "),
        (("source", "layer"), "other", "areas.geojson: "),
    ],
)
def test_a_wrong_recipe_is_said_to_be_so(
    tmp_path: Path, where: tuple[str | int, ...], value: object, said: str
) -> None:
    told = node = recipe()
    for key in where[:-1]:
        node = node[key]  # type: ignore[index]
    node[where[-1]] = value  # type: ignore[index]
    result = run(geojson(tmp_path, west(), east()), told)
    assert result.exit_code == 1
    assert said in result.output
    assert not (tmp_path / "pack").exists()


def test_a_file_that_is_no_map_is_said_to_be_so(tmp_path: Path) -> None:
    boundaries = tmp_path / "areas.geojson"
    boundaries.write_bytes(b"nothing of the kind")
    result = run(boundaries)
    assert result.exit_code == 1
    assert "not recognized as being in a supported file format" in result.output


def test_zones_come_along(tmp_path: Path) -> None:
    told = recipe()
    told["zones"] = [{"id": "market", "name": {"th": "ตลาด", "en": "Market"}}]
    zones = tmp_path / "market.geojson"
    zones.write_text(json.dumps(collection(feature("id", "market", square(100.9, 16.4, 0.2)))))
    assert "zones.geojson: [Errno 2]" in run(geojson(tmp_path, west(), east()), told).output
    assert run(geojson(tmp_path, west(), east()), told, "--zones", str(zones)).exit_code == 0
    assert set(load_jurisdiction(tmp_path / "pack").zones) == {"market"}
    assert {FILE, BOUNDARIES, ZONES} < {path.name for path in (tmp_path / "pack").iterdir()}


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack/letter.txt").write_text("mine")
    result = built(tmp_path, west(), east())
    assert result.exit_code == 1
    assert "there is something else than a pack; name another folder" in result.output
    assert [path.name for path in (tmp_path / "pack").iterdir()] == ["letter.txt"]


def test_names_that_yaml_could_not_hold_as_they_are_come_through(tmp_path: Path) -> None:
    odd = tambon("TH670101", square(100, 16), th="\u2028\x7f\ufeff\U0001f600\"'\\: #-")
    assert built(tmp_path, odd).exit_code == 0
    names = load_jurisdiction(tmp_path / "pack").pack.areas["670101"]
    assert names.th == "\x7f\ufeff\U0001f600\"'\\: #-TH670101"
