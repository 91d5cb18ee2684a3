"""The program shown in docs/subscribe.md, taken out of the page and run exactly as it stands."""

import asyncio
import os
import re
import sys
from pathlib import Path

from aiokafka import AIOKafkaProducer

from deploy.local.choose import Chosen
from deploy.local.kafka_server import KafkaServer
from shared.contracts import Record, encode
from shared.contracts.agency import AgencyHeartbeat, IncidentShared, Presence, SharedView
from shared.contracts.event import EventData
from shared.contracts.ids import new_id
from shared.contracts.testing import NOON
from shared.contracts.topics import agency_incidents
from shared.contracts.view import Lifecycle

PAGE = (Path(__file__).parents[2] / "docs" / "subscribe.md").read_text(encoding="utf-8")
SECONDS = 30


def told(agency: str, seq: int) -> IncidentShared:
    """One event about one incident."""
    return IncidentShared(
        agency=agency,
        incident_id="inc-1",
        seq=seq,
        presence=Presence.ENTERED if seq == 1 else Presence.UPDATED,
        happened="incident.updated",
        view=SharedView(lifecycle=Lifecycle.RECEIVED),
        agreement_id="mou",
        agreement_version=1,
    )


def on_the_wire(agency: str, data: EventData) -> Record:
    topic = agency_incidents(agency)
    key = topic.key_of(data)
    return encode(topic.name, key, data, id=new_id(), source="/t", time=NOON, traceparent=None)


async def test_the_program_shown_prints_what_an_agency_is_told(
    chosen_kafka: Chosen[KafkaServer], tmp_path: Path
) -> None:
    agency = f"sub-{new_id()[-8:]}"
    await asyncio.to_thread(chosen_kafka.server.create_topic, agency_incidents(agency).name, 1)
    beat = AgencyHeartbeat(agency=agency, sent_at=NOON, next_by=NOON)
    async with AIOKafkaProducer(bootstrap_servers=chosen_kafka.server.url) as producer:
        for data in (beat, told(agency, 1), told(agency, 1), told(agency, 2), told(agency, 4)):
            record = on_the_wire(agency, data)
            await producer.send_and_wait(record.topic, record.value, record.key, headers=record.headers)
    shown = re.search(r"<!-- file: follow.py -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    (tmp_path / "follow.py").write_text(shown[1])
    environ = {**os.environ, "KAFKA_URL": chosen_kafka.server.url}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(tmp_path / "follow.py"), agency, env=environ, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SECONDS):
            lines = [(await process.stdout.readline()).decode().split()[:2] for _ in range(4)]
    finally:
        process.kill()
        await process.wait()
    assert lines == [["inc-1", "1"], ["inc-1", "2"], ["LOST:", "inc-1"], ["inc-1", "4"]]
