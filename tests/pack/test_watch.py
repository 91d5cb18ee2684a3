"""A pack that changes in its folder is taken over if it can be used, whole, and without a restart."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shared.pack.digest import digest_of
from shared.pack.jurisdiction import Jurisdiction, load_jurisdiction
from shared.pack.load import FILE
from shared.pack.metrics import Change, PackMetrics
from shared.pack.watch import PackWatch
from shared.telemetry.metric import Metric
from tests.bus.support import until, value_of
from tests.pack.packs import Json, small, written

README = Path(__file__).parents[2] / "shared/pack/README.md"
OFTEN = 0.01


def renamed(code: str) -> dict[str, Json]:
    """The small pack under another code."""
    files = small()
    files[FILE]["code"] = code
    return files


@dataclass
class Place:
    """A link to the pack in use, as a volume has it, and who follows it."""

    root: Path
    load: Callable[[Path], Jurisdiction] = load_jurisdiction
    used: list[str] = field(default_factory=list)

    @property
    def link(self) -> Path:
        """Where the service looks."""
        return self.root / "pack"

    def switch(self, files: dict[str, Json]) -> str:
        """Put another pack in its place at once; return its digest."""
        folder = self.root / f"version-{len(list(self.root.iterdir()))}"
        folder.mkdir()
        new = self.root / "new"
        new.symlink_to(written(folder, files))
        new.replace(self.link)
        return digest_of(self.link)

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[PackWatch]:
        """The pack of now and what comes after it."""
        watch = PackWatch(self.link, OFTEN)
        present = load_jurisdiction(self.link)
        following = watch.follow(present, self.load, lambda found: self.used.append(found.pack.code))
        task = asyncio.create_task(following)
        try:
            yield watch
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A place with the small pack."""
    made = Place(tmp_path)
    made.switch(small())
    return made


def changes(watch: PackWatch, outcome: Change) -> float:
    """How many changes ended so."""
    return value_of(watch.metrics.changes, outcome)


def shown(watch: PackWatch) -> list[tuple[str, str]]:
    """The pack in use, as the metric has it."""
    [family] = [f for f in watch.metrics.collect() if f.name == "ruamjai_pack_in_use"]
    return [(sample.labels["pack"], sample.labels["digest"]) for sample in family.samples]


async def test_a_link_that_is_switched_is_followed_and_shown(place: Place) -> None:
    async with place.followed() as watch:
        await until(lambda: shown(watch), "the first pack is shown")
        assert shown(watch) == [("small", digest_of(place.link)[:12])]
        digest = place.switch(renamed("second"))
        await until(lambda: place.used == ["second"], "the second pack is in use")
        assert shown(watch) == [("second", digest[:12])]
        assert changes(watch, Change.TAKEN) == 1


async def test_a_pack_that_cannot_be_used_is_refused_once_with_reasons_and_the_next_is_taken(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    before = digest_of(place.link)
    async with place.followed() as watch:
        wrong = renamed("wrong")
        wrong[FILE]["triage_desk"] = "nobody"
        place.switch(wrong)
        await until(lambda: changes(watch, Change.REFUSED), "the wrong pack is refused")
        assert shown(watch) == [("small", before[:12])]
        place.switch(renamed("third"))
        await until(lambda: place.used, "the third pack is in use")
    assert place.used == ["third"]
    assert changes(watch, Change.REFUSED) == 1
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == 1
    assert "pack.yaml: triage_desk: nobody is no desk of the pack" in said[0]


async def test_files_written_in_place_are_noticed_too(place: Place) -> None:
    async with place.followed():
        written(place.link, renamed("in_place"))
        await until(lambda: place.used, "the pack is in use")
    assert place.used[-1] == "in_place"


async def test_a_pack_that_changes_while_it_is_read_is_read_again(place: Place) -> None:
    reads = []

    def load(folder: Path) -> Jurisdiction:
        found = load_jurisdiction(folder)
        reads.append(found.pack.code)
        if len(reads) == 1:
            place.switch(renamed("third"))
        return found

    place.load = load
    async with place.followed() as watch:
        place.switch(renamed("second"))
        await until(lambda: place.used, "a pack is in use")
    assert reads == ["second", "third"]
    assert place.used == ["third"]
    assert changes(watch, Change.TAKEN) == 1


async def test_what_is_touched_and_stays_the_same_is_not_loaded_again(place: Place) -> None:
    loaded: list[Path] = []
    place.load = lambda folder: loaded.append(folder) or load_jurisdiction(folder)  # type: ignore[func-returns-value]
    async with place.followed():
        place.switch(small())
        (place.link / FILE).touch()
        place.switch(renamed("second"))
        await until(lambda: place.used, "the second pack is in use")
    assert len(loaded) == 1


def test_the_readme_names_every_metric_and_every_outcome() -> None:
    text = README.read_text(encoding="utf-8")
    declared = [metric for metric in vars(PackMetrics).values() if isinstance(metric, Metric)]
    assert all(f"`ruamjai_{metric.name}`" in text for metric in declared)
    assert all(f"`{outcome}`" in text for outcome in Change)
