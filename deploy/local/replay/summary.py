"""What is said at the end: the demonstration's figures where they apply, and whether the speed was honest."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deploy.local.demo.tally import Tally
from deploy.local.replay.done import Done
from deploy.local.replay.script import Script

HONEST_SECONDS = 5.0
"""What the system's own delay may be of the time that is played: more would change what desks decide."""
APART = 0.05
"""How far, relatively, the services' clocks may run from the speed."""
MEASURED_SECONDS = 5.0
"""Between two reports, so that their delays do not matter."""


@dataclass(frozen=True)
class Outcome:
    """A replay that is over. `sent`: when each report of this run was due."""

    script: Script
    done: Done
    tally: Tally
    sent: dict[str, float]
    agencies: Sequence[str]
    speed: float

    @property
    def lost(self) -> set[str]:
        """Reports that were answered with 202 and are in no incident."""
        return self.tally.missing(dict.fromkeys(self.done.accepted.values(), 0.0))

    def figures(self) -> dict[str, Any]:
        """Return the summary. Times are real milliseconds from when a report was due to its incident."""
        p50, p99 = self.tally.times(self.sent)
        kinds, delay = self.tally.kinds, p99 / 1000 * self.speed
        return {
            "reports_sent": len(self.done.accepted) + len(self.done.rejected),
            "accepted": len(self.done.accepted),
            "rejected": len(self.done.rejected),
            "bad_lines": len(self.script.bad),
            "incidents": kinds["incident.opened"],
            "linked": kinds["incident.linked"],
            "assigned": len(self.tally.assigned),
            "escalated": kinds["task.escalated"],
            "agency_events": {code: self.tally.shared[code] for code in self.agencies},
            "withheld": {code: self.tally.withheld[code] for code in self.agencies},
            "dead_letters": self.tally.dead_letters,
            "lost": len(self.lost),
            "p50_ms": round(p50, 1),
            "p99_ms": round(p99, 1),
            "speed": self.speed,
            "p99_played_s": round(delay, 2),
            "honest": delay <= HONEST_SECONDS and not any(self._rate()),
            "ok": not (self.lost or self.done.rejected or self.script.bad or self.tally.dead_letters),
        }

    def warnings(self) -> Iterator[str]:
        """Yield what makes the figures worth less than they look."""
        _, p99 = self.tally.times(self.sent)
        if (delay := p99 / 1000 * self.speed) > HONEST_SECONDS:
            most = int(HONEST_SECONDS * 1000 / p99)
            yield (
                f"NOT HONEST: p99 of {p99:.0f} ms at speed {self.speed:g} is {delay:.1f} s of the time "
                f"that is played, more than {HONEST_SECONDS:g} s: here --speed {most} would be"
            )
        yield from self._rate()

    def _rate(self) -> Iterator[str]:
        """Yield where the services' clocks, as their events show them, do not run at the speed."""
        known = sorted(
            (at, *self.tally.first[id_]) for id_, at in self.sent.items() if id_ in self.tally.first
        )
        if len(known) < 2 or known[-1][1] - known[0][1] < MEASURED_SECONDS:
            return
        clock = (datetime.fromisoformat(known[-1][2]) - datetime.fromisoformat(known[0][2])).total_seconds()
        rate = clock / (known[-1][1] - known[0][1])
        if abs(rate / self.speed - 1) > APART:
            yield (
                f"NOT HONEST: the services' clocks run at {rate:.3g}, the file is played at {self.speed:g}: "
                f"start every service with CLOCK_RATE={self.speed:g}"
            )
