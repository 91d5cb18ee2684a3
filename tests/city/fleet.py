"""The units of the day: whoever is sent answers, travels and works for as long as the city recorded."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from deploy.local.demo.witness import Seen
from deploy.local.replay.done import Done
from shared.clock import ScaledClock
from tests.city.calls import Incident, Sent
from tests.city.city import ROLE
from tests.city.reports import Told

ANSWER_SECONDS = 5.0
"""Until a crew has said that it has heard; the city did not record that."""
TURNED_BACK_SECONDS = 120.0
"""After which a unit of a kind that the city did not send is called off."""
WORK_SECONDS = 1200.0
"""How long a unit is busy of which the end was never recorded."""
KNOWN_SECONDS = 5.0
AGAIN_SECONDS = 0.2
Step = tuple[float, str]
"""Seconds since the unit was sent, and what it says then."""


@dataclass
class Fleet:
    """Follows the incidents and speaks for every unit over HTTP. `url` is dispatch's."""

    told: list[Told]
    done: Done
    clock: ScaledClock
    client: httpx.AsyncClient
    url: str
    headers: dict[str, str]
    troubles: list[str] = field(default_factory=list)
    _started: set[str] = field(default_factory=set)
    _running: set["asyncio.Task[None]"] = field(default_factory=set)

    def hear(self, record: Seen) -> None:
        """Let a unit begin once its own desk has said that it has the task."""
        if record.topic != "incidents" or not (data := record.data).get("view"):
            return
        for task in data["view"]["tasks"]:
            if task["units"] and task["acknowledge_by"] and task["task_id"] not in self._started:
                self._started.add(task["task_id"])
                job = asyncio.create_task(self._drive(data["incident_id"], data["view"], task))
                self._running.add(job)
                job.add_done_callback(self._ended)

    def _ended(self, job: "asyncio.Task[None]") -> None:
        self._running.discard(job)
        if not job.cancelled() and (error := job.exception()):
            self.troubles.append(f"a unit stopped: {error!r}")

    def stop(self) -> None:
        """Let every unit go home."""
        for job in self._running:
            job.cancel()

    async def _drive(self, incident_id: str, view: dict[str, Any], task: dict[str, Any]) -> None:
        call = await self._call(view["reports"][0]["report_id"])
        began = datetime.fromisoformat(task["assigned_at"])
        for seconds, verb in steps(recorded(call, task["task_id"].split("/")[-2])):
            await self.clock.sleep(seconds - (self.clock.now() - began).total_seconds())
            await self._say(verb, incident_id, task["task_id"])

    async def _call(self, report_id: str) -> Incident:
        """Return what a report was really about; its answer may come after its incident."""
        async with asyncio.timeout(KNOWN_SECONDS):
            while True:
                for number, known in reversed(self.done.accepted.items()):
                    if known == report_id:
                        return self.told[number - 1].about
                await asyncio.sleep(AGAIN_SECONDS / 10)

    async def _say(self, verb: str, incident_id: str, task_id: str) -> None:
        body = {"verb": verb, "incident_id": incident_id, "task_id": task_id}
        key = hashlib.sha256(f"{task_id} {verb}".encode()).hexdigest()
        while True:
            answer = await self.client.post(
                f"{self.url}/v1/commands", json=body, headers={**self.headers, "Idempotency-Key": key}
            )
            if answer.status_code == httpx.codes.ACCEPTED:
                return
            if answer.status_code not in (httpx.codes.NOT_FOUND, httpx.codes.SERVICE_UNAVAILABLE):
                raise RuntimeError(f"{verb} was answered with {answer.status_code}: {answer.text}")
            await asyncio.sleep(AGAIN_SECONDS)


def recorded(call: Incident, role: str) -> Sent | None:
    """Return the first unit of a role that the city sent, None where it sent none."""
    return next((sent for sent in call.sent if ROLE.get(sent.kind) == role), None)


def steps(sent: Sent | None) -> Iterator[Step]:
    """Yield what a unit says, and when, as the city recorded it."""
    yield ANSWER_SECONDS, "task.acknowledge"
    if sent is None:
        yield TURNED_BACK_SECONDS, "task.complete"
        return
    last = ANSWER_SECONDS
    for at, verb in ((sent.en_route, "task.en_route"), (sent.on_scene, "task.on_scene")):
        if at is not None:
            last = max(last, (at - sent.at).total_seconds())
            yield last, verb
    free = (sent.free - sent.at).total_seconds() if sent.free else last + WORK_SECONDS
    yield max(last, free), "task.complete"
