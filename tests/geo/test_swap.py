"""A new pack is in use without a restart, and every report is located by one pack or the other."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from services.geo.handlers import geo
from shared.contracts import ReportLocated, ReportReceived, decode
from shared.contracts.ids import new_id
from shared.contracts.topics import REPORTS_LOCATED, REPORTS_RECEIVED
from shared.contracts.values import GeoPoint
from shared.pack.jurisdiction import load_jurisdiction
from shared.pack.load import FILE
from shared.pack.watch import PackWatch
from tests.bus.live import World
from tests.bus.support import record_of, report, until
from tests.geo.test_live import about
from tests.pack.packs import small, written

WEST = GeoPoint(lat=16.25, lon=100.5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pack whose western desk is `west`."""
    made = tmp_path / "first"
    made.mkdir()
    link = tmp_path / "pack"
    link.symlink_to(written(made, small()))
    return link


def switch(folder: Path) -> None:
    """Put a pack in its place whose western desk is `far-west`."""
    made = folder.parent / "second"
    made.mkdir()
    files = small()
    files[FILE]["desks"][1]["code"] = files[FILE]["units"][0]["desk"] = "far-west"
    (folder.parent / "new").symlink_to(written(made, files))
    (folder.parent / "new").replace(folder)


def theft() -> ReportReceived:
    """A report from the west that no other test has sent."""
    return report(category="theft", point=WEST).model_copy(update={"report_id": new_id()})


def desk_of(record: ConsumerRecord) -> str:
    """The desk a located report went to."""
    data: Any = decode(record.value, record.headers).data
    assert isinstance(data, ReportLocated)
    return data.desk


async def test_reports_go_to_the_desks_of_a_new_pack_without_a_restart(world: World, folder: Path) -> None:
    sent: list[str] = []
    watch = PackWatch(folder, poll_seconds=0.05)

    async def located(desk: str) -> list[ConsumerRecord] | None:
        one = theft()
        sent.append(one.report_id)
        await world.send(record_of(REPORTS_RECEIVED, one))
        mine = [r for r in await world.read(REPORTS_LOCATED) if about(r) in sent]
        return [record for record in mine if desk_of(record) == desk] or None

    async with world.running(geo(load_jurisdiction(folder), watch)) as runtime:
        assert runtime.store is None
        found: list[ConsumerRecord] = await until(
            partial(located, "west"), "reports go to the first pack's desk"
        )
        switch(folder)
        found = await until(partial(located, "far-west"), "reports go to the second pack's desk")

        async def all_located() -> list[ConsumerRecord] | None:
            mine = [r for r in await world.read(REPORTS_LOCATED) if about(r) in sent]
            return mine if len(mine) == len(sent) else None

        found = await until(all_located, "every report is located once")
    assert {desk_of(record) for record in found} == {"west", "far-west"}
    assert runtime.registry.get_sample_value("ruamjai_pack_changes_total", {"outcome": "taken"}) == 1
