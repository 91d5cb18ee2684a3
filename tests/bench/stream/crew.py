"""Control rooms that hear the stream and answer over HTTP: one acknowledges what is urgent, one ends all."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer

from shared.contracts import IncidentOpened, TaskEscalated
from shared.contracts.topics import INCIDENTS
from shared.load.connection import HTTP_ERRORS, Connection
from tests.bench.stream.town import Town

OFFICER = "officer:control-room"
URGENT = b'"priority":"P1"'
SECONDS = 10.0
OPEN_S = 30.0
LINES = 8
"""Commands that are under way at once."""
ACCEPTED = 202


class Room:
    """Hears everything on the stream from `begun` until `end`; `errors` counts what it could not say."""

    def __init__(self, town: Town) -> None:
        self.errors = 0
        self._kafka, self._headers = town.world.kafka, town.world.bearer(OFFICER)
        self._free = [Connection(town.world.api("dispatch")) for _ in range(LINES)]
        self._lines = asyncio.Semaphore(LINES)
        self.begun, self._over = Event(), Event()

    def run(self) -> None:
        """Work until `end`."""
        asyncio.run(self._work())

    def end(self) -> None:
        """Stop soon."""
        self._over.set()

    async def hear(self, type_: str, body: bytes) -> None:
        """Take in an event."""
        raise NotImplementedError

    async def say(self, command: dict[str, Any]) -> bool:
        """Send a command; whether it was taken."""
        async with self._lines:
            line = self._free.pop()
            try:
                body = json.dumps(command).encode()
                answer = await line.post("/v1/commands", body, self._headers, SECONDS)
            except HTTP_ERRORS:
                self.errors += 1
                return False
            finally:
                self._free.append(line)
        self.errors += answer.status != ACCEPTED
        return answer.status == ACCEPTED

    async def _work(self) -> None:
        consumer = AIOKafkaConsumer(INCIDENTS.name, bootstrap_servers=self._kafka, auto_offset_reset="latest")
        await consumer.start()
        await consumer.seek_to_end()
        self.begun.set()
        try:
            while not self._over.is_set():
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    for record in records:
                        type_ = dict(record.headers).get("ce_type", b"").decode()
                        await self.hear(type_, record.value or b"")
        finally:
            await consumer.stop()
            for line in self._free:
                await line.close()


class Crew(Room):
    """Counts urgent tasks: `acknowledged`, `escalated`, and `false` ones, escalated though acknowledged.

    Those that were given before it came to work are nobody's: they may have escalated already.
    """

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self.acknowledged, self.escalated, self.false = 0, 0, 0
        self._in_time: dict[str, bool] = {}
        self._came = datetime.now(UTC)

    async def hear(self, type_: str, body: bytes) -> None:
        """Acknowledge the tasks of what is urgent."""
        if URGENT not in body:
            return
        data = json.loads(body)
        tasks = [task for task in data.get("view", {}).get("tasks", ()) if self._ours(task)]
        if type_ == TaskEscalated.type and data["task_id"] in [task["task_id"] for task in tasks]:
            self.escalated += 1
            self.false += self._in_time.get(data["task_id"], False)
        for task in tasks:
            if task["acknowledge_by"] and task["task_id"] not in self._in_time:
                await self._acknowledge(data["incident_id"], task)

    def _ours(self, task: dict[str, Any]) -> bool:
        return datetime.fromisoformat(task["assigned_at"]) >= self._came

    async def _acknowledge(self, incident_id: str, task: dict[str, Any]) -> None:
        said = {"verb": "task.acknowledge", "incident_id": incident_id, "task_id": task["task_id"]}
        if await self.say(said):
            self.acknowledged += 1
            due = datetime.fromisoformat(task["acknowledge_by"])
            self._in_time[task["task_id"]] = datetime.now(UTC) < due


class Closer(Room):
    """Closes each incident half a minute after it was opened; `closed` counts them."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self.closed = 0
        self._open: deque[tuple[float, str]] = deque()
        self._closing = set[asyncio.Task[None]]()

    async def hear(self, type_: str, body: bytes) -> None:
        """Note what is new, and close what has been open for long."""
        now = time.monotonic()
        if type_ == IncidentOpened.type:
            self._open.append((now + OPEN_S, json.loads(body)["incident_id"]))
        while self._open and self._open[0][0] <= now:
            task = asyncio.create_task(self._close(self._open.popleft()[1]))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _close(self, incident_id: str) -> None:
        taken = await self.say({"verb": "incident.close", "incident_id": incident_id})
        self.closed += taken


R = TypeVar("R", bound=Room)


@contextmanager
def at_work(room: R) -> Iterator[R]:
    """Let a room work for the block."""
    thread = Thread(target=room.run, daemon=True)
    thread.start()
    room.begun.wait()
    try:
        yield room
    finally:
        room.end()
        thread.join()
