"""The crews of the day: they follow tasks on a topic and answer, or do not, until the work is done."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

import httpx
from aiokafka import AIOKafkaProducer

from deploy.local.demo.witness import Seen

AGAIN_SECONDS = 3.0
"""After which a command without effect is given again: the radio is not always heard."""
LOOK_SECONDS = 0.1
NEXT = {
    "assigned": "task.acknowledge",
    "acknowledged": "task.en_route",
    "en_route": "task.on_scene",
    "on_scene": "task.complete",
}
Say = Callable[[str, str, str | None], Awaitable[None]]
"""Gives a command: verb, incident id, task id."""


class Guide(Protocol):
    """What the script says of an incident."""

    def silent(self, incident_id: str, role: str) -> int:
        """How many escalations of a role's task nobody answers."""

    def may_finish(self, incident_id: str) -> bool:
        """Whether the work may end."""


@dataclass
class Crews:
    """Those who answer for the tasks of which `ours` is true, with what they know from events."""

    say: Say
    guide: Guide
    ours: Callable[[str, dict[str, Any]], bool]
    closes: bool = False
    """Whether they also close what is resolved."""
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    escalations: dict[str, int] = field(default_factory=dict)
    _said: dict[tuple[str, str], float] = field(default_factory=dict)

    def hear(self, record: Seen) -> None:
        """Learn from a record of `incidents`, or of an agency's own topic."""
        data = record.data if record.value else {}
        if not (incident_id := data.get("incident_id")) or not data.get("view"):
            return
        self.views[incident_id] = data["view"]
        if "task.escalated" in (record.kind, data.get("happened")):
            for task in data["view"]["tasks"] or ():
                if data.get("task_id") == task["task_id"]:
                    self.escalations[task["task_id"]] = self.escalations.get(task["task_id"], 0) + 1

    async def work(self) -> None:
        """Do what is due, again and again."""
        while True:
            for verb, incident_id, task_id in self.due():
                if self._may_say(verb, task_id or incident_id):
                    await self.say(verb, incident_id, task_id)
            await asyncio.sleep(LOOK_SECONDS)

    def due(self) -> list[tuple[str, str, str | None]]:
        """Return the commands to give now."""
        found: list[tuple[str, str, str | None]] = []
        for incident_id, view in self.views.items():
            found += [
                (verb, incident_id, task["task_id"])
                for task in view["tasks"] or ()
                if self.ours(incident_id, task) and (verb := self.next_verb(incident_id, task))
            ]
            if self.closes and view["lifecycle"] == "resolved":
                found.append(("incident.close", incident_id, None))
        return found

    def next_verb(self, incident_id: str, task: dict[str, Any]) -> str | None:
        """Return what somebody says next about a task; None while nobody does."""
        verb, role = NEXT.get(task["state"]), task["task_id"].split("/")[-2]
        if verb == "task.acknowledge":
            asked = task["acknowledge_by"] is not None  # until then its own desk has not said that it has it
            enough = self.escalations.get(task["task_id"], 0) >= self.guide.silent(incident_id, role)
            return verb if asked and enough else None
        if verb == "task.complete" and not self.guide.may_finish(incident_id):
            return None
        return verb

    def _may_say(self, verb: str, about: str) -> bool:
        now = time.monotonic()
        if now - self._said.get((verb, about), -AGAIN_SECONDS) < AGAIN_SECONDS:
            return False
        self._said[verb, about] = now
        return True


def by_http(client: httpx.AsyncClient, url: str, headers: dict[str, str]) -> Say:
    """Return the way of officers: `POST /v1/commands`."""

    async def say(verb: str, incident_id: str, task_id: str | None) -> None:
        body = {"verb": verb, "incident_id": incident_id, "task_id": task_id}
        try:
            answer = await client.post(f"{url}/v1/commands", json=body, headers=headers)
        except httpx.TransportError:  # a pod that leaves may cut a connection: it is said again soon
            return
        if answer.status_code not in (httpx.codes.ACCEPTED, httpx.codes.NOT_FOUND):  # not known there yet
            raise RuntimeError(f"{verb} was answered with {answer.status_code}: {answer.text}")

    return say


def by_topic(producer: AIOKafkaProducer, agency: str) -> Say:
    """Return the way of an agency's own system: its responses topic, with what any Kafka client can do."""

    async def say(verb: str, incident_id: str, task_id: str | None) -> None:
        event = {
            "ce_specversion": "1.0",
            "ce_id": str(uuid4()),
            "ce_source": f"/{agency}/console",
            "ce_type": "th.ruamjai.response.submitted.v1",
            "ce_subject": incident_id,
            "ce_time": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
            "content-type": "application/json",
        }
        headers = [(name, value.encode()) for name, value in event.items()]
        body = json.dumps({"incident_id": incident_id, "verb": verb, "task_id": task_id}).encode()
        topic = f"agency.{agency}.responses"
        await producer.send_and_wait(topic, body, incident_id.encode(), headers=headers)

    return say
