"""What is fetched or built is whole, shared by parallel runs, and made once."""

import threading
from pathlib import Path

import pytest

from deploy.local import native
from deploy.local.unavailable import Unavailable


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUAMJAI_CACHE", str(tmp_path / "cache"))


def test_parallel_runs_build_once() -> None:
    builds: list[Path] = []

    def build(_: Path, result: Path) -> None:
        builds.append(result)
        (result / "jar").touch()

    runs = [threading.Thread(target=native.cached, args=("kafka", "1", build)) for _ in range(8)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(builds) == 1
    assert (native.cached("kafka", "1", build) / "jar").exists()


def test_a_failed_build_leaves_nothing_behind_and_is_tried_again() -> None:
    def fail(_: Path, result: Path) -> None:
        (result / "half").touch()
        raise Unavailable("network down")

    with pytest.raises(Unavailable):
        native.cached("kafka", "1", fail)
    place = native.cached("kafka", "1", lambda _, result: (result / "whole").touch())
    assert [file.name for file in place.iterdir()] == ["whole"]


def test_a_build_gets_a_copy_of_its_recipe() -> None:
    place = native.cached("kafka", "1", lambda work, result: (work / "pom.xml").rename(result / "pom.xml"))
    assert (place / "pom.xml").read_bytes() == (native.RECIPES / "kafka" / "pom.xml").read_bytes()


def test_the_recipes_pin_the_versions_the_cache_is_named_after() -> None:
    assert f"<version>{native.KAFKA_VERSION}</version>" in (native.RECIPES / "kafka" / "pom.xml").read_text()
    assert f"FerretDB v{native.FERRETDB_VERSION}\n" in (native.RECIPES / "ferretdb" / "go.mod").read_text()


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="java, mvn"):
        native.kafka_libs()
    with pytest.raises(Unavailable, match="go"):
        native.ferretdb_binary()
