"""What `index.npz` keeps is what the files say, and it is used only where it was made of these very files."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import shapely
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.cli import main
from shared.pack.digest import BOUNDARIES, ZONES
from shared.pack.index import INDEX, Index, Layer, save_index
from shared.pack.jurisdiction import Jurisdiction, check_jurisdiction, load_jurisdiction
from shared.pack.load import FILE
from tests.pack.packs import small, written


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The small pack with its index."""
    assert CliRunner().invoke(main, ["pack", "index", str(written(tmp_path, small()))]).exit_code == 0
    return tmp_path


def same(one: Layer, other: Layer) -> bool:
    """Whether two layers would give the same answers."""
    parts = [(getattr(one.grid, p), getattr(other.grid, p)) for p in ("raster", "ids", "bounds")]
    frames = [(layer.grid.west, layer.grid.south, layer.grid.step) for layer in (one, other)]
    shapes = shapely.equals_identical(one.grid.shapes, other.grid.shapes)
    equal = all(np.array_equal(a, b) for a, b in parts) and bool(np.all(shapes))
    return equal and frames[0] == frames[1] and one.names == other.names


def as_from_the_files(found: Jurisdiction, folder: Path) -> bool:
    """Whether a jurisdiction says what its three files say."""
    plain = check_jurisdiction(folder)
    index, anew = found.index or Index.of(found.areas, found.zones), Index.of(plain.areas, plain.zones)
    return found.pack == plain.pack and same(index.areas, anew.areas) and same(index.zones, anew.zones)


def test_what_is_loaded_from_an_index_is_what_the_files_say(folder: Path) -> None:
    found = load_jurisdiction(folder)
    assert found.index is not None
    assert as_from_the_files(found, folder)
    assert {*found.areas} == {"6701", "6702"}
    assert found.zones["market"].bounds == pytest.approx((100.9, 16.4, 101.1, 16.6))


def test_an_index_is_the_same_bytes_every_time(folder: Path) -> None:
    before = (folder / INDEX).read_bytes()
    made = check_jurisdiction(folder)
    save_index(made.pack, Index.of(made.areas, made.zones), folder)
    assert (folder / INDEX).read_bytes() == before


def test_without_an_index_the_files_are_read_and_a_line_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert load_jurisdiction(written(tmp_path, small())).index is None
    assert [record.levelname for record in caplog.records] == ["INFO"]


@pytest.mark.parametrize("name", [FILE, BOUNDARIES, ZONES])
def test_an_index_of_other_files_is_not_used_and_a_line_says_so(
    folder: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (folder / name).open("a") as file:
        file.write("\n")
    found = load_jurisdiction(folder)
    assert found.index is None
    assert as_from_the_files(found, folder)
    assert [record.getMessage().split(",")[0] for record in caplog.records] == [
        "the pack's index is of other files"
    ]


def test_a_pack_is_checked_by_the_command_whatever_its_index_says(folder: Path) -> None:
    forged = load_jurisdiction(folder)
    assert forged.index is not None
    (folder / BOUNDARIES).write_text("{}")
    save_index(forged.pack, forged.index, folder)
    assert load_jurisdiction(folder).index is not None
    assert CliRunner().invoke(main, ["pack", "check", str(folder)]).exit_code == 1


def test_an_index_with_numbers_that_lead_nowhere_is_not_used(folder: Path) -> None:
    with np.load(folder / INDEX) as file:
        arrays = dict(file)
    arrays["areas_ids"] = arrays["areas_ids"] + 7
    np.savez_compressed(folder / INDEX, **arrays)
    assert load_jurisdiction(folder).index is None


def test_pickled_objects_in_an_index_are_not_loaded(folder: Path) -> None:
    with np.load(folder / INDEX) as file:
        arrays = dict(file)
    arrays["areas_names"] = np.array(list(arrays["areas_names"]), object)
    np.savez_compressed(folder / INDEX, **arrays)
    assert load_jurisdiction(folder).index is None


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=40), st.floats(0, 1))
def test_a_damaged_index_is_used_only_if_it_still_says_the_same(
    folder: Path, noise: bytes, where: float
) -> None:
    content = (folder / INDEX).read_bytes()
    at = int(where * (len(content) - 1))
    with TemporaryDirectory() as name:
        other = written(Path(name), small())
        (other / INDEX).write_bytes(content[:at] + noise + content[at + len(noise) :])
        assert as_from_the_files(load_jurisdiction(other), other)
