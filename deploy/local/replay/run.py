"""One replay from beginning to end, with or without a command line around it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from deploy.local.demo.tally import Tally
from deploy.local.demo.witness import Seen
from deploy.local.replay.done import Done
from deploy.local.replay.player import IN_FLIGHT, Player
from deploy.local.replay.progress import showing
from deploy.local.replay.script import Script
from deploy.local.replay.summary import Outcome
from deploy.local.replay.watching import watching
from shared.settings import Settings

SETTLE_SECONDS = 30.0
"""How long after the last sign of progress a report that is in no incident counts as lost."""
QUIET_SECONDS = 2.0
"""After which, with every report in an incident, the agencies have been told."""
LOOK_SECONDS = 0.1


@dataclass
class Replay:
    """Where a file is played to, and how fast."""

    settings: Settings
    script: Script
    done: Done
    url: str
    speed: float
    key: str | None = None
    tally: Tally = field(default_factory=Tally)
    hear: list[Callable[[Seen], None]] = field(default_factory=list)
    """Who else is told of every record that is read."""

    async def run(self, lingering: float = 0.0) -> Outcome:
        """Play what is left to play and wait for what must come of it. Raises StoppedError, KafkaError.

        `lingering`: seconds for which it goes on watching after that.
        """
        async with (
            watching(self.settings, self.done, self._take) as agencies,
            _client() as client,
            showing(self.script, self.done) as told,
        ):
            player = Player(self.script, self.done, client, self.url, self.key, self.speed, told)
            await player.play()
            outcome = Outcome(self.script, self.done, self.tally, player.sent, agencies, self.speed)
            await self._settle(outcome)
            await asyncio.sleep(lingering)
        return outcome

    def _take(self, record: Seen) -> None:
        for hear in (self.tally.hear, *self.hear):
            hear(record)

    async def _settle(self, outcome: Outcome) -> None:
        moved, before = time.monotonic(), -1
        while True:
            if (linked := len(self.tally.linked)) != before:
                moved, before = time.monotonic(), linked
            quiet = time.monotonic() - moved
            if quiet > SETTLE_SECONDS or (quiet > QUIET_SECONDS and not outcome.lost):
                return
            await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def _client() -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    async with httpx.AsyncClient(timeout=30, limits=limits) as client:
        yield client
