"""Intake as it really runs: over HTTP, on a broker, in this process or in one that can be killed."""

import asyncio
import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from deploy.local.embedded import EmbeddedKafka
from deploy.local.kafka_server import KafkaServer
from deploy.local.ports import free_port
from shared.contracts.topics import (
    DESKS_COMMANDS,
    INCIDENTS,
    REPORTS_RECEIVED,
    REPORTS_RECEIVED_URGENT,
    replay_of,
)
from tests.bus.live import World
from tests.bus.support import until
from tests.intake.replica import A_REPORT, MASTER_KEY

ROOT = Path(__file__).parents[2]
DEVICE = {"X-Device-Id": "device-0001"}
LANES = (REPORTS_RECEIVED_URGENT, REPORTS_RECEIVED)


class Door:
    """A client of one running replica."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    async def opens(self) -> None:
        """Return once the API answers."""

        async def answers() -> bool:
            try:
                return (await self.get("nowhere")).status_code == 404
            except httpx.TransportError:
                return False

        held: bool = await until(answers, "the API answers", 30)
        assert held

    async def post(self, body: dict[str, Any] | None = None, device: str = "device-0001") -> httpx.Response:
        """Send a report."""
        headers = {"Idempotency-Key": uuid4().hex, "X-Device-Id": device}
        async with httpx.AsyncClient() as client:
            return await client.post(f"{self.url}/v1/reports", json=body or A_REPORT, headers=headers)

    async def get(self, code: str) -> httpx.Response:
        """Ask for a report's status."""
        async with httpx.AsyncClient() as client:
            return await client.get(f"{self.url}/v1/reports/{code}")

    async def erase(self, code: str) -> httpx.Response:
        """Ask for the erasure of a report's personal data."""
        async with httpx.AsyncClient() as client:
            return await client.delete(f"{self.url}/v1/reports/{code}/personal-data")


def told(folder: Path, door: Door) -> dict[str, str]:
    """The settings of a replica besides the broker's and the store's."""
    return {
        "API_PORT": str(door.port),
        "KEYS_URL": f"sqlite:///{folder}/keys.db",
        "MASTER_KEY": MASTER_KEY,
        "CLOCK_RATE": "10",
    }


def make_topics(kafka: KafkaServer) -> None:
    """Create what intake writes and reads, where it is not there yet."""
    partitions = {topic.name: topic.partitions for topic in (*LANES, DESKS_COMMANDS, INCIDENTS)}
    partitions |= {INCIDENTS.dlq("intake"): INCIDENTS.partitions, replay_of("intake"): INCIDENTS.partitions}
    for name, count in partitions.items():
        kafka.create_topic(name, count)


def new_door() -> Door:
    """A door on a free port."""
    return Door(free_port())


@contextmanager
def a_process(world: World, settings: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A replica as a process; killed at the end if the test has not done so."""
    environ = {"KAFKA_URL": world.url, "STORE_URL": world.store_url, "HTTP_PORT": "0", **settings}
    command = [sys.executable, "-m", "services.intake.app"]
    path = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=ROOT, env=path | environ, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class SwitchedKafka(EmbeddedKafka):
    """An embedded broker of one test, which can be away for a while."""

    def set_up(self, *, up: bool) -> None:
        """Answer clients, or drop them."""
        name = f"rd_kafka_mock_broker_set_{'up' if up else 'down'}"
        call = getattr(self._library, name)
        call.restype, call.argtypes = ctypes.c_int, [ctypes.c_void_p, ctypes.c_int]
        assert call(self._cluster, 1) == 0


async def all_on(world: World, accepted: Sequence[str]) -> list[str]:
    """The ids on both lanes, of those accepted, once all of them are there: urgent ones first."""

    async def enough() -> list[str] | None:
        records = [record for lane in LANES for record in await world.read(lane)]
        ids = [record.key.decode() for record in records if record.key.decode() in accepted]
        return ids if set(ids) == set(accepted) else None

    return await until(enough, f"{len(accepted)} reports", 40)


async def posted(door: Door, count: int) -> list[str]:
    """The ids of so many reports that were accepted, each from a device of its own."""
    answers = await asyncio.gather(*(door.post(device=uuid4().hex) for _ in range(count)))
    assert {answer.status_code for answer in answers} == {202}
    return [answer.json()["report_id"] for answer in answers]
