"""Who is alive among the replicas: each leaves a pulse, and one whose pulse stands still is dead."""

from collections.abc import Collection, Sequence

from shared.clock import Clock
from shared.store import Document, Documents

PULSE_SECONDS = 1.0
DEAD_SECONDS = 8.0
"""How long a pulse must have stood still, by the watcher's own clock and reads."""


class Replicas:
    """The pulses in the store. Being wrong is harmless: a record that two forward is the same bytes twice."""

    def __init__(self, documents: Documents, me: str, clock: Clock) -> None:
        self._documents, self._me, self._clock = documents, me, clock
        self._beats = 0
        self._seen: dict[str, tuple[bytes | None, float]] = {}

    async def beat(self) -> None:
        """Show that this replica lives."""
        self._beats += 1
        await self._documents.put([Document(self._me, b"%d" % self._beats)])

    async def leave(self) -> None:
        """Let others know at once that this replica is gone."""
        await self._documents.delete([self._me])

    async def dead(self, replicas: Sequence[str]) -> list[str]:
        """Return those of `replicas` without a pulse, or whose pulse has not changed for DEAD_SECONDS."""
        pulses = await self._documents.get(replicas) if replicas else {}
        now = self._clock.monotonic()
        self._seen = {r: self._watched(r, pulses.get(r), now) for r in replicas}
        return [r for r, (pulse, since) in self._seen.items() if pulse is None or now - since >= DEAD_SECONDS]

    async def bury(self, replicas: Collection[str]) -> None:
        """Forget the pulses of the dead for whom nothing waits any more."""
        if replicas:
            await self._documents.delete(list(replicas))

    def _watched(self, replica: str, pulse: bytes | None, now: float) -> tuple[bytes | None, float]:
        before = self._seen.get(replica)
        return before if before is not None and before[0] == pulse else (pulse, now)
