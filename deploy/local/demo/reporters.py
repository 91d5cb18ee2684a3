"""The people of the day: they report over HTTP, keep the answers, and try again when told to."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from deploy.local.demo.day import Scene, Wrong

APART_DEGREES = 0.00008
"""Between people who see the same thing: some nine metres."""
ATTEMPTS = 5
BETWEEN_LOOKS = 0.05
AGAIN_SECONDS = 2.5
"""After which a reporter may ask again: a device has a request in two seconds."""
PEOPLE = ("สมชาย ใจดี", "มาลี ศรีสุข", "ประยูร ทองคำ", "วันเพ็ญ แก้วมณี", "อำนาจ บุญมา", "จันทร์เพ็ญ คงสวัสดิ์")


@dataclass(frozen=True, slots=True)
class Sent:
    """A report that was answered with 202, as its reporter remembers it."""

    report_id: str
    scene: str
    at: float
    """When it was first sent, monotonic seconds."""
    secrets: tuple[str, ...]
    """What nobody may ever read in the open: name, phone, address, citizen id."""
    body: dict[str, Any] = field(default_factory=dict, repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass
class Reporters:
    """Sends the script's reports to intake at `url` and remembers what came of each."""

    url: str
    client: httpx.AsyncClient
    sent: int = 0
    accepted: list[Sent] = field(default_factory=list)
    repeated: int = 0
    """Requests that were sent again on purpose and got the same answer."""
    refused: list[str] = field(default_factory=list)
    """How rightful requests were answered, where not with 202 and the report's one id."""
    rejected: list[tuple[Wrong, int]] = field(default_factory=list)

    async def report(self, scene: Scene, number: int) -> None:
        """Send one report of a scene. Raises RuntimeError when it is not taken in the end."""
        body, secrets = report_of(scene, number, self.sent)
        self.sent += 1
        headers = {"Idempotency-Key": str(uuid4()), "X-Device-Id": f"device-{uuid4().hex}"}
        at = time.monotonic()
        for _ in range(ATTEMPTS):
            if report_id := await self._accepted(self.client, body, headers):
                self.accepted.append(Sent(report_id, scene.id, at, secrets, body, headers))
                return
            await asyncio.sleep(1)
        raise RuntimeError(f"report {number} of {scene.id} was answered with {self.refused[-1]}")

    async def insist(self) -> None:
        """Send again and again what was accepted, each time as somebody who has just come.

        It changes nothing, for a report is one however often it is sent; but it must be answered, whatever
        happens to the replicas.
        """
        asked: dict[str, float] = {}
        while True:
            for sent in list(self.accepted):
                if time.monotonic() - asked.get(sent.report_id, 0.0) < AGAIN_SECONDS:
                    continue
                asked[sent.report_id] = time.monotonic()
                async with httpx.AsyncClient(timeout=self.client.timeout) as stranger:
                    answered = await self._accepted(stranger, sent.body, sent.headers)
                if answered == sent.report_id:
                    self.repeated += 1
                elif answered:
                    self.refused.append(f"another id than {sent.report_id}")
            await asyncio.sleep(BETWEEN_LOOKS)

    async def _accepted(
        self, client: httpx.AsyncClient, body: dict[str, Any], headers: dict[str, str]
    ) -> str | None:
        """Send a report; return its id, or None after a refusal, which is noted."""
        try:
            answer = await client.post(f"{self.url}/v1/reports", json=body, headers=headers)
        except httpx.TransportError as error:
            self.refused.append(repr(error))
            return None
        if answer.status_code == httpx.codes.ACCEPTED:
            return str(answer.json()["report_id"])
        self.refused.append(f"{answer.status_code} {answer.text}")
        return None

    async def mistake(self, wrong: Wrong) -> None:
        """Send what must be refused."""
        self.sent += 1
        headers = {"Idempotency-Key": str(uuid4()), "X-Device-Id": f"device-{uuid4().hex}"} | wrong.headers
        headers = {name: value for name, value in headers.items() if value}
        url = f"{self.url}/v1/reports"
        if isinstance(wrong.body, str):
            headers["Content-Type"] = "application/json"
            answer = await self.client.post(url, content=wrong.body.encode(), headers=headers)
        else:
            answer = await self.client.post(url, json=wrong.body, headers=headers)
        self.rejected.append((wrong, answer.status_code))


def report_of(scene: Scene, number: int, serial: int) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the body of a report and what is personal in it, each a value that occurs nowhere else."""
    mark = uuid4().hex[:10]
    phone, citizen = f"08{serial:08d}", citizen_id(serial)
    name = f"{PEOPLE[serial % len(PEOPLE)]} {mark}"
    address = f"บ้านเลขที่ {serial}/{mark}"
    text = scene.reports[number]
    if serial % 3 == 0:
        text += f" โทรกลับ {phone}"
    if serial % 7 == 0:
        text += f" บัตรประชาชน {citizen}"
    body: dict[str, Any] = {
        "text": text,
        "channel": ("line", "web", "phone")[serial % 3],
        "status": scene.status,
        "reporter": {"name": name, "phone": phone, "line_id": f"line-{mark}", "address": address},
    }
    if scene.at is not None:
        lat, lon = scene.at
        body["point"] = {"lat": round(lat + number * APART_DEGREES, 6), "lon": lon}
    return body, (mark, phone, citizen)


def citizen_id(serial: int) -> str:
    """Return a 13-digit citizen id with a right check digit (DOPA: weights 13 to 2, modulo 11)."""
    digits = f"16799{serial:07d}"
    weighted = sum(int(digit) * weight for digit, weight in zip(digits, range(13, 1, -1), strict=True))
    return f"{digits}{(11 - weighted % 11) % 10}"
