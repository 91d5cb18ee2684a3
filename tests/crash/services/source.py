"""People who report over HTTP, and send the same again, elsewhere, until they are told that it was taken."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx

from tests.crash.services.texts import Texts

TICK = 0.01
AT_ONCE = 16
"""People who wait for an answer; while so many do, nobody else reports."""
PAUSE_SECONDS = 0.5
ANSWER_SECONDS = 5.0
GIVE_UP_SECONDS = 180.0


class Source:
    """Offers at most `rate` reports a second to the replicas at `urls`.

    `accepted` gets the ids of those that were answered with 202.
    """

    def __init__(self, urls: Sequence[str], texts: Texts, rate: float, accepted: set[str]) -> None:
        self._urls, self._texts, self._rate, self._accepted = urls, texts, rate, accepted
        self._waiting: set[asyncio.Task[None]] = set()
        self.offered = self.repeated = 0
        self.failed: str | None = None
        self.on = True

    async def run(self) -> None:
        """Offer reports while `on`; return when each was answered, or given up."""
        next_at, bodies = time.monotonic(), iter(self._texts)
        async with client() as http:
            while self.on:
                if len(self._waiting) < AT_ONCE and time.monotonic() >= next_at:
                    self._offer(http, next(bodies))
                    next_at = max(next_at + 1 / self._rate, time.monotonic() - 1 / self._rate)
                await asyncio.sleep(TICK)
            await asyncio.gather(*self._waiting)

    def _offer(self, http: httpx.AsyncClient, body: dict[str, Any]) -> None:
        self.offered += 1
        task = asyncio.create_task(self._report(http, body, self.offered))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def one_more(self) -> str:
        """Send one urgent report, after the others; return its id."""
        async with client() as http:
            return await self._sent(http, self._texts.urgent(), 0)

    async def _report(self, http: httpx.AsyncClient, body: dict[str, Any], number: int) -> None:
        try:
            await self._sent(http, body, number)
        except TimeoutError as error:
            self.failed = str(error)

    async def _sent(self, http: httpx.AsyncClient, body: dict[str, Any], number: int) -> str:
        headers = {"Idempotency-Key": str(uuid4()), "X-Device-Id": f"device-{uuid4().hex}"}
        deadline, attempt = time.monotonic() + GIVE_UP_SECONDS, 0
        while time.monotonic() < deadline:
            url = self._urls[(number + attempt) % len(self._urls)]
            status, found = await post(http, f"{url}/v1/reports", body, headers)
            if status == httpx.codes.ACCEPTED:
                self._accepted.add(found["report_id"])
                return str(found["report_id"])
            attempt += 1
            self.repeated += 1
            await asyncio.sleep(PAUSE_SECONDS * min(attempt, 4))
        raise TimeoutError(f"a report was answered with {status} until it was given up")


def client() -> httpx.AsyncClient:
    """Return a client that no answer keeps waiting."""
    return httpx.AsyncClient(timeout=ANSWER_SECONDS)


async def post(
    http: httpx.AsyncClient, url: str, body: dict[str, Any], headers: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    """Return status and body of the answer; 0 where there was none."""
    try:
        answer = await http.post(url, json=body, headers=headers)
    except httpx.HTTPError:
        return 0, {}
    return answer.status_code, answer.json() if answer.is_success else {}
