"""Officers and an agency's own system: they answer most tasks until the work is done, and close incidents."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Any
from zlib import crc32

import httpx

from tests.crash.services.post import Post
from tests.crash.services.seen import Seen
from tests.crash.services.source import client, post

LOOK_SECONDS = 0.1
AGAIN_SECONDS = 8.0
AT_ONCE = 8
DEAF = 12
"""One task in so many is never answered, one incident in so many never closed."""
NEXT = {"assigned": "task.acknowledge", "acknowledged": "task.complete"}
Wish = tuple[str, str, str | None]
"""A verb, an incident, a task."""


class Officers:
    """Give commands at the replicas at `urls`, or on the topic of `agency`; `asked` are those taken."""

    def __init__(self, urls: Sequence[str], key: str, post_: Post, agency: str, asked: set[str]) -> None:
        self._urls, self._headers = urls, {"Authorization": f"Bearer {key}"}
        self._post, self._agency, self._asked = post_, agency, asked
        self._wishes: dict[str, list[tuple[Wish, str]]] = {}
        self._said: dict[Wish, float] = {}
        self._seqs: dict[str, int] = {}
        self._turn = 0
        self.on = True

    def hear(self, record: Seen) -> None:
        """Learn from a record of `incidents`; called from the reader's thread."""
        data = record.data
        if not (view := data.get("view")) or data["seq"] <= self._seqs.get(data["incident_id"], 0):
            return
        self._seqs[data["incident_id"]] = data["seq"]
        if wishes := list(_wishes(data["incident_id"], view)):
            self._wishes[data["incident_id"]] = wishes
        else:
            self._wishes.pop(data["incident_id"], None)

    async def run(self) -> None:
        """Say what is due, again and again, while `on`."""
        async with client() as http:
            while self.on:
                due = [
                    found for wishes in list(self._wishes.values()) for found in wishes if self._due(found)
                ]
                for at in range(0, len(due), AT_ONCE):
                    await asyncio.gather(*(self._say(http, *found) for found in due[at : at + AT_ONCE]))
                await asyncio.sleep(LOOK_SECONDS)

    def _due(self, found: tuple[Wish, str]) -> bool:
        return time.monotonic() - self._said.get(found[0], -AGAIN_SECONDS) >= AGAIN_SECONDS

    async def _say(self, http: httpx.AsyncClient, wish: Wish, agency: str) -> None:
        self._said[wish] = time.monotonic()
        verb, incident_id, task_id = wish
        body = {"verb": verb, "incident_id": incident_id, "task_id": task_id}
        if agency == self._agency and crc32(incident_id.encode()) % 2:
            self._post.response(agency, body, self._asked.add)
        else:
            await self._command(http, body)

    async def _command(self, http: httpx.AsyncClient, body: dict[str, Any]) -> str | None:
        """Return the command's id where it was taken, by one replica or the other."""
        for _ in self._urls:
            self._turn += 1
            url = self._urls[self._turn % len(self._urls)]
            status, found = await post(http, f"{url}/v1/commands", body, self._headers)
            if status == httpx.codes.ACCEPTED:
                self._asked.add(found["command_id"])
                return str(found["command_id"])
        return None

    async def ask_all(self, incidents: Iterable[str]) -> dict[str, str]:
        """Add a note to each of `incidents`; return the commands by incident, "" where none was taken."""
        found: dict[str, str] = {}
        async with client() as http:
            for incident_id in incidents:
                body = {"verb": "incident.update", "incident_id": incident_id, "args": {"note": "ใครรับผิดชอบ"}}
                found[incident_id] = await self._command(http, body) or ""
        return found


def _wishes(incident_id: str, view: dict[str, Any]) -> Iterable[tuple[Wish, str]]:
    if view["lifecycle"] == "resolved" and crc32(incident_id.encode()) % DEAF:
        yield ("incident.close", incident_id, None), ""
    for task in view["tasks"]:
        verb = NEXT.get(task["state"])
        asked = task["state"] != "assigned" or task["acknowledge_by"] is not None
        if verb and asked and crc32(task["task_id"].encode()) % DEAF:
            yield (verb, incident_id, task["task_id"]), task["agency"]
