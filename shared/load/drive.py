"""Sends reports at their own times, however slow the answers are: what waits for a connection counts."""

import asyncio
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shared.load.connection import HTTP_ERRORS, Connection
from shared.load.mix import People

ACCEPTED = 202
ANSWER_SECONDS = 30.0
PATH = "/v1/reports"


@dataclass(slots=True)
class Sent:
    """One report: when it was due, and answered; seconds of `time.perf_counter`."""

    kind: str
    due: float
    answered: float


@dataclass(slots=True)
class Outcome:
    """What came of a load: the accepted reports by trace id, and how often what went wrong."""

    accepted: dict[str, Sent] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    offered: int = 0
    begun: float = 0.0
    ended: float = 0.0
    cpu_s: float = 0.0
    """What this process burnt meanwhile."""


def arrivals(rate: float, seconds: float, seed: int) -> Iterator[float]:
    """Yield the seconds after the start at which somebody reports: a Poisson process of `rate` a second."""
    dice, at = random.Random(seed), 0.0  # noqa: S311  (no secret: a schedule)
    while (at := at + dice.expovariate(rate)) < seconds:
        yield at


class Driver:
    """Open loop: a request's time counts from the instant it is due, also while every connection is busy.

    With `keys` the requests take turns as their holders, else each comes from a device of its own.
    """

    def __init__(self, url: str, people: People, connections: int, keys: Sequence[str] = ()) -> None:
        self._people, self._keys = iter(people), keys
        self._connections = [Connection(url) for _ in range(connections)]
        self._run = secrets.token_hex(8)
        self.outcome = Outcome()

    async def drive(self, rate: float, seconds: float, seed: int) -> Outcome:
        """Send, and return when the last request is answered."""
        queue: asyncio.Queue[tuple[int, float] | None] = asyncio.Queue()
        outcome = self.outcome
        async with asyncio.TaskGroup() as group:
            for connection in self._connections:
                group.create_task(self._work(connection, queue))
            outcome.begun, burnt = time.perf_counter(), time.process_time()
            for number, at in enumerate(arrivals(rate, seconds, seed)):
                due = outcome.begun + at
                if (wait := due - time.perf_counter()) > 0:
                    await asyncio.sleep(wait)
                outcome.offered += 1
                queue.put_nowait((number, due))
            outcome.ended = time.perf_counter()
            for _ in self._connections:
                queue.put_nowait(None)
        outcome.cpu_s = time.process_time() - burnt
        return outcome

    async def _work(self, connection: Connection, queue: "asyncio.Queue[tuple[int, float] | None]") -> None:
        while (job := await queue.get()) is not None:
            await self._send(connection, *job)
        await connection.close()

    async def _send(self, connection: Connection, number: int, due: float) -> None:
        kind, body = next(self._people)
        trace = secrets.token_hex(16)
        headers = self._who(number) | {
            "Idempotency-Key": f"{self._run}-{number}",
            "traceparent": f"00-{trace}-{trace[:16]}-00",
        }
        sent = Sent(kind, due, 0.0)
        self.outcome.accepted[trace] = sent  # before the answer: the agency may hear of it first
        status = await _post(connection, body, headers)
        sent.answered = time.perf_counter()
        if status != str(ACCEPTED):
            del self.outcome.accepted[trace]
            self.outcome.errors[status] += 1

    def _who(self, number: int) -> dict[str, str]:
        if not self._keys:
            return {"X-Device-Id": f"load-{self._run}-{number}"}
        return {"Authorization": f"Bearer {self._keys[number % len(self._keys)]}"}


async def _post(connection: Connection, body: bytes, headers: dict[str, str]) -> str:
    """Return the status, or what kind of failure there was instead of one."""
    try:
        return str((await connection.post(PATH, body, headers, ANSWER_SECONDS)).status)
    except HTTP_ERRORS as error:
        return type(error).__name__
