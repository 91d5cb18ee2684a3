"""Sends each report at its own time, however late other answers are, until it is taken or refused."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from deploy.local.replay.done import Done
from deploy.local.replay.script import Line, Script

IN_FLIGHT = 200
"""Reports that wait for their answer at once; more wait to be sent, and their waiting counts."""
PATIENCE_SECONDS = 60.0
"""How long nobody need answer until the replay stops, to go on another time."""
AGAIN_SECONDS = 1.0
"""Until it is tried again, where nobody said when."""
KEY_ERRORS = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
LATER = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS)


class StoppedError(Exception):
    """The replay cannot go on; the same command goes on from where it was."""


@dataclass
class Player:
    """Plays what `done` does not have yet. `url` is intake's; `key` has the scope `reports.write`."""

    script: Script
    done: Done
    client: httpx.AsyncClient
    url: str
    key: str | None
    speed: float
    told: Callable[[], None]
    """Called after every answer."""
    sent: dict[str, float] = field(default_factory=dict)
    """When each report of this run was due, by its id, monotonic seconds."""
    patience: float = PATIENCE_SECONDS
    again: float = AGAIN_SECONDS

    async def play(self) -> None:
        """Return when everything is answered. Raises StoppedError."""
        lines = [line for line in self.script.lines if line.number not in self.done]
        if not lines:
            return
        began, slots = time.monotonic(), asyncio.Semaphore(IN_FLIGHT)
        try:
            async with asyncio.TaskGroup() as group:
                for line in lines:
                    due = began + (line.at - lines[0].at).total_seconds() / self.speed
                    await asyncio.sleep(due - time.monotonic())
                    await slots.acquire()
                    task = group.create_task(self._send(line, due))
                    task.add_done_callback(lambda _: slots.release())
        except* StoppedError as stopped:
            raise stopped.exceptions[0] from None

    async def _send(self, line: Line, due: float) -> None:
        answer = await self._answer(line)
        if answer.status_code == httpx.codes.ACCEPTED:
            report_id = answer.json()["report_id"]
            self.sent[report_id] = due
            self.done.accept(line.number, report_id)
        elif answer.status_code in KEY_ERRORS:
            raise StoppedError(f"line {line.number}: {_reason(answer)}; give an API key with reports.write")
        else:
            self.done.reject(line.number, _reason(answer))
        self.told()

    async def _answer(self, line: Line) -> httpx.Response:
        """Return an answer that is final. The key makes it harmless to send a line again."""
        body, headers = self.script.body(line), self._headers(line)
        deadline = time.monotonic() + self.patience
        while True:
            try:
                answer = await self.client.post(f"{self.url}/v1/reports", json=body, headers=headers)
                if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR and answer.status_code not in LATER:
                    return answer
                why, wait = _reason(answer), float(answer.headers.get("Retry-After", self.again))
            except httpx.TransportError as error:
                why, wait = f"{self.url}: {error or type(error).__name__}", self.again
            if time.monotonic() + wait > deadline:
                raise StoppedError(f"line {line.number}: {why}")
            await asyncio.sleep(wait)

    def _headers(self, line: Line) -> dict[str, str]:
        name = f"replay-{self.script.digest[:32]}-{line.number}"
        own = {"Authorization": f"Bearer {self.key}"} if self.key else {"X-Device-Id": name}
        return {"Idempotency-Key": name, **own}


def _reason(answer: httpx.Response) -> str:
    """Return what was answered in one line; a problem names fields, never what was in them."""
    try:
        problem = answer.json()
        return f"{answer.status_code} {problem.get('detail') or problem.get('title') or ''}".strip()
    except (ValueError, AttributeError):
        return str(answer.status_code)
