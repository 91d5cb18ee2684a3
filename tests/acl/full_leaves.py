"""An agency leaves, in the order of docs/operate/agency-leaves.md: it sees no more, and nobody else waits."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiokafka.errors import KafkaConnectionError

from deploy.local.secure import SecureKafka
from services.declared import declared
from services.notify.cli import publish_folder
from shared.clock import clock_from
from shared.contracts import EventData, IncidentShared, decode, encode
from shared.contracts.agency import Presence
from shared.contracts.ids import new_id
from shared.contracts.topics import INCIDENTS, agency_incidents, agency_responses
from shared.rights import OPERATOR, User
from shared.settings import Settings, load_settings
from tests.acl.clients import read, send
from tests.acl.working import at_work, everything
from tests.bus.support import until
from tests.intake.live import new_door
from tests.notify.support import opened, updated

GUARD, RESCUE = "lomsak-guard", "rescue"
SHARED = IncidentShared.type.encode()
CLOCK = {"CLOCK_RATE": "60", "CLOCK_ANCHOR": datetime.now(UTC).isoformat()}
"""The five minutes within which open incidents leave are five seconds here."""


@pytest.fixture
def settings(made: SecureKafka) -> Settings:
    """The operator's settings, on the clock of notify."""
    return load_settings("ruamjai", made.environment(OPERATOR) | CLOCK)


def agreement(agency: str, now: datetime, **more: Any) -> str:
    terms = {
        "version": 1,
        "categories": ["road_accident"],
        "areas": ["67"],
        "fields": ["lifecycle", "category", "text"],
        "valid_from": (now - timedelta(days=1)).isoformat(),
        "valid_until": (now + timedelta(days=300)).isoformat(),
    }
    return yaml.safe_dump(
        {"id": f"mou-{agency}", "agency": agency, "parties": [agency], "terms": [terms], **more}
    )


async def say(kafka: SecureKafka, data: EventData, now: datetime) -> None:
    """Write an event of an incident as dispatch."""
    key = INCIDENTS.key_of(data)
    record = encode(INCIDENTS.name, key, data, id=new_id(), source="/t", time=now, traceparent=None)
    await send(kafka.access("dispatch"), record)


async def told(kafka: SecureKafka, agency: str, count: int) -> list[IncidentShared]:
    """What an agency has been told of incidents, once that is so many events."""

    async def enough() -> list[IncidentShared] | None:
        records = await everything(kafka, agency_incidents(agency).name)
        events = [r for r in records if ("ce_type", SHARED) in r.headers]  # others try the topic's rights
        shared: list[IncidentShared] = [decode(record.value, record.headers).data for record in events]
        return shared if len(shared) >= count else None

    return await until(enough, f"{count} events for {agency}", 40)


async def test_an_agency_that_leaves_sees_no_more_and_nobody_else_waits(
    made: SecureKafka, settings: Settings, table: dict[str, User], tmp_path: Path
) -> None:
    now = clock_from(settings).now()
    folder = tmp_path / "agreements"
    folder.mkdir()
    for agency in (GUARD, RESCUE):
        (folder / f"{agency}.yaml").write_text(agreement(agency, now))
    await publish_folder(settings, folder)
    [notify] = [service for service in declared() if service.name == "notify"]
    async with at_work(made.access("notify"), notify, tmp_path, new_door(), **CLOCK):
        await say(made, opened("inc-leaves"), now)
        assert [event.presence for event in await told(made, GUARD, 1)] == [Presence.ENTERED]
        end = {"effective_at": clock_from(settings).now().isoformat(), "reason": "it leaves"}
        (folder / f"{GUARD}.yaml").write_text(agreement(GUARD, now, withdrawn=end))
        await publish_folder(settings, folder)
        assert (await told(made, GUARD, 2))[-1].presence is Presence.LEFT
        made.take(f"agency-{GUARD}", table[f"agency-{GUARD}"].rights)
        made.remove_user(f"agency-{GUARD}")
        with pytest.raises(KafkaConnectionError):
            await read(made.access(f"agency-{GUARD}"), agency_incidents(GUARD).name)
        for topic in (agency_incidents(GUARD), agency_responses(GUARD)):
            await asyncio.to_thread(made.delete_topic, topic.name)
        before = len(await told(made, RESCUE, 1))
        await say(made, updated(2, "text", incident="inc-leaves", text="ใหม่"), now)
        assert len(await told(made, RESCUE, before + 1)) == before + 1
