"""Crews that acknowledge every urgent task once they hear of it, and note what escalates all the same."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

from aiokafka import AIOKafkaConsumer

from shared.contracts.topics import INCIDENTS
from shared.load.connection import HTTP_ERRORS, Connection
from tests.bench.stream.town import Town

OFFICER = "officer:control-room"
URGENT = b'"priority":"P1"'
ESCALATED = b"th.ruamjai.task.escalated.v1"
SECONDS = 10.0


class Crew:
    """`acknowledged` tasks, `escalated` ones, and `false` ones: escalated though acknowledged in time."""

    def __init__(self, town: Town) -> None:
        self.acknowledged, self.escalated, self.false, self.errors = 0, 0, 0, 0
        self._kafka, self._headers = town.world.kafka, town.world.bearer(OFFICER)
        self._connection = Connection(town.world.api("dispatch"))
        self._in_time: dict[str, bool] = {}
        self.begun, self._over = Event(), Event()

    def run(self) -> None:
        """Work until `end`."""
        asyncio.run(self._work())

    def end(self) -> None:
        """Stop soon."""
        self._over.set()

    async def _work(self) -> None:
        consumer = AIOKafkaConsumer(INCIDENTS.name, bootstrap_servers=self._kafka, auto_offset_reset="latest")
        await consumer.start()
        await consumer.seek_to_end()
        self.begun.set()
        try:
            while not self._over.is_set():
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    for record in records:
                        if URGENT in (record.value or b""):
                            await self._hear(dict(record.headers).get("ce_type"), json.loads(record.value))
        finally:
            await consumer.stop()
            await self._connection.close()

    async def _hear(self, type_: bytes | None, data: dict[str, Any]) -> None:
        if type_ == ESCALATED:
            self.escalated += 1
            self.false += self._in_time.get(data["task_id"], False)
        for task in data.get("view", {}).get("tasks", ()):
            if task["acknowledge_by"] and task["task_id"] not in self._in_time:
                await self._acknowledge(data["incident_id"], task)

    async def _acknowledge(self, incident_id: str, task: dict[str, Any]) -> None:
        said = {"verb": "task.acknowledge", "incident_id": incident_id, "task_id": task["task_id"]}
        with suppress(*HTTP_ERRORS):
            answer = await self._connection.post(
                "/v1/commands", json.dumps(said).encode(), self._headers, SECONDS
            )
            if answer.status == 202:
                self.acknowledged += 1
                due = datetime.fromisoformat(task["acknowledge_by"])
                self._in_time[task["task_id"]] = datetime.now(UTC) < due
                return
        self.errors += 1


@contextmanager
def crew(town: Town) -> Iterator[Crew]:
    """A crew at work for the block."""
    found = Crew(town)
    thread = Thread(target=found.run, daemon=True)
    thread.start()
    found.begun.wait()
    try:
        yield found
    finally:
        found.end()
        thread.join()
