"""Geo on a broker: what comes in either lane goes out located, keyed by desk, and poison is set aside."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from services.geo.handlers import geo
from shared.bus.partitioner import partition_of
from shared.bus.runtime import Runtime
from shared.contracts import ReportLocated, ReportReceived, Topic, decode
from shared.contracts.ids import derived_id, new_id
from shared.contracts.topics import (
    REPORTS_LOCATED,
    REPORTS_LOCATED_URGENT,
    REPORTS_RECEIVED,
    REPORTS_RECEIVED_URGENT,
)
from shared.contracts.values import GeoPoint
from shared.pack.jurisdiction import load_jurisdiction
from tests.bus.live import World
from tests.bus.support import header, record_of, report, until

TOWN, LOM_SAK = GeoPoint(lat=16.418, lon=101.155), GeoPoint(lat=16.777, lon=101.247)


@pytest.fixture
async def running(world: World) -> AsyncIterator[Runtime]:
    """Geo at work in Phetchabun."""
    async with world.running(geo(load_jurisdiction())) as runtime:
        yield runtime


def received(**fields: Any) -> ReportReceived:
    """A report that no other test has sent."""
    return report(**fields).model_copy(update={"report_id": new_id()})


def about(record: ConsumerRecord) -> str:
    """The id of the report that a record is about."""
    return (header(record, "ce_subject") or b"").decode()


async def arrived(world: World, topic: Topic | str, *reports: ReportReceived) -> dict[str, ConsumerRecord]:
    """The records about these reports once all are there, by the report's id; each came once."""
    ids = {report.report_id for report in reports}

    async def all_there() -> list[ConsumerRecord] | None:
        found = [record for record in await world.read(topic) if about(record) in ids]
        return found if len(found) >= len(ids) else None

    found: list[ConsumerRecord] = await until(all_there, f"{len(ids)} reports on {topic}")
    assert len(found) == len(ids)
    return {about(record): record for record in found}


@pytest.mark.usefixtures("running")
async def test_reports_of_both_lanes_come_out_in_their_lane_keyed_by_their_desk(world: World) -> None:
    theft = received(category="theft", point=LOM_SAK, text="รถจักรยานยนต์หาย")
    collapse = received(category="medical_emergency", point=TOWN, priority="P1")
    nowhere = received(category="brawl", text="มีคนตีกัน ไม่รู้ที่ไหน")
    causes = [
        record_of(REPORTS_RECEIVED, theft),
        record_of(REPORTS_RECEIVED_URGENT, collapse),
        record_of(REPORTS_RECEIVED, nowhere),
    ]
    await world.send(*causes)
    found = await arrived(world, REPORTS_LOCATED, theft, nowhere)
    found |= await arrived(world, REPORTS_LOCATED_URGENT, collapse)
    desks = {theft.report_id: "police-6703", collapse.report_id: "medical-67", nowhere.report_id: "triage-67"}
    for cause, (id_, desk) in zip(causes, desks.items(), strict=True):
        event = decode(found[id_].value, found[id_].headers)
        assert isinstance(event.data, ReportLocated)
        assert event.data.desk == desk
        assert (found[id_].key, found[id_].partition) == (desk.encode(), partition_of(desk.encode(), 12))
        assert event.id == derived_id((header(cause, "ce_id") or b"").decode(), event.type, id_, 0)


async def test_poison_is_set_aside_and_its_neighbours_are_located(world: World, running: Runtime) -> None:
    good = [received(category="theft", point=TOWN) for _ in range(20)]
    bad = received()
    records = [record_of(REPORTS_RECEIVED, report) for report in (*good[:10], bad, *good[10:])]
    records[10].value = b'{"point": "here"}'
    await world.send(*(replace(record, partition=0) for record in records))
    await arrived(world, REPORTS_LOCATED, *good)
    [letter] = (await arrived(world, REPORTS_RECEIVED.dlq("geo"), bad)).values()
    assert letter.value == b'{"point": "here"}'
    assert header(letter, "dlq_reason") == b"bad_body"
    assert running.registry.get_sample_value("ruamjai_geo_located_total", {"outcome": "placed"}) == 20
