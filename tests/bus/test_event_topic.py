"""A handler learns from which topic an event came: on an agency's own topic that says who wrote it."""

from dataclasses import replace

import pytest

from shared.bus.accepted import accepted_by
from shared.bus.dead_letters import PREFIX
from shared.bus.emit import Encoder
from shared.bus.stateless import Each
from shared.contracts import Event, ReportReceived
from shared.contracts.topics import replay_of
from tests.bus.support import consumed, record_of, report, workplace

GROUP = "tester"


@pytest.mark.parametrize(
    ("topic", "claimed", "told"),
    [
        ("agency.ems.responses", None, "agency.ems.responses"),
        ("agency.ems.responses", "agency.police.responses", "agency.ems.responses"),
        (replay_of(GROUP), "agency.ems.responses", "agency.ems.responses"),
    ],
    ids=["as it came", "whatever its sender claims", "a replay, as it came first"],
)
async def test_an_event_says_where_it_was_read(topic: str, claimed: str | None, told: str) -> None:
    seen: list[str | None] = []

    def handler(event: Event[ReportReceived]) -> None:
        seen.append(event.topic)

    each = Each(workplace(group=GROUP), accepted_by(handler), handler, Encoder(GROUP))
    record = record_of(topic, report())
    extra = [(PREFIX + "topic", claimed.encode())] if claimed else []
    await each.process([consumed(replace(record, headers=[*record.headers, *extra]))])
    assert seen == [told]
