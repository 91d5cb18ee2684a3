"""From what was sent and seen to the figures that people and machines read."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from shared.load.drive import Outcome, Sent
from shared.load.watch import Seen

SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
PARTS = 4
"""Into which a run is divided to see whether the delay grows."""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of `values` lie."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def spread(seconds: Iterable[float]) -> dict[str, float | int]:
    """Return count and percentiles in milliseconds; the count alone where there is nothing."""
    ms = [value * 1000 for value in seconds]
    return {"n": len(ms), **({name: round(percentile(ms, s), 1) for name, s in SHARES.items()} if ms else {})}


@dataclass(frozen=True)
class Figures:
    """What one load showed."""

    rate: float
    outcome: Outcome
    seen: Seen

    def document(self) -> dict[str, Any]:
        """Return all of it, to be read by a machine; times in milliseconds from the instant of being due."""
        sent, seconds = self.outcome, self.outcome.ended - self.outcome.begun
        return {
            "rate": self.rate,
            "seconds": round(seconds, 1),
            "offered": sent.offered,
            "accepted": len(sent.accepted),
            "accepted_per_s": round(len(sent.accepted) / seconds, 1),
            "errors": dict(sent.errors),
            "own_cpu_s": round(sent.cpu_s, 2),
            "answered_ms": spread(s.answered - s.due for s in sent.accepted.values()),
            "agencies": {code: self._agency(seen) for code, seen in self.seen.items()},
        }

    def _agency(self, seen: Mapping[str, float]) -> dict[str, Any]:
        took = {trace: seen[trace] - s.due for trace, s in self.outcome.accepted.items() if trace in seen}
        kinds = sorted({s.kind for s in self.outcome.accepted.values()})
        last = max((seen[trace] for trace in took), default=self.outcome.ended)
        return {
            "missing": len(self.outcome.accepted) - len(took),
            "all_ms": spread(took.values()),
            **{
                f"{kind}_ms": spread(t for trace, t in took.items() if self._of(trace).kind == kind)
                for kind in kinds
            },
            "quarters_p50_ms": [part.get("p50") for part in self._quarters(took)],
            "last_s_after_end": round(max(0.0, last - self.outcome.ended), 2),
        }

    def _of(self, trace: str) -> Sent:
        return self.outcome.accepted[trace]

    def _quarters(self, took: Mapping[str, float]) -> list[dict[str, float | int]]:
        begun, length = self.outcome.begun, (self.outcome.ended - self.outcome.begun) / PARTS
        edges = [begun + n * length for n in range(PARTS)] + [float("inf")]
        return [
            spread(t for trace, t in took.items() if low <= self._of(trace).due < high)
            for low, high in pairwise(edges)
        ]

    def lines(self) -> list[str]:
        """Return what a person reads, and last the document on one line."""
        found = self.document()
        counts = f"{found['offered']} reports in {found['seconds']} s, {found['accepted']} accepted"
        lines = [f"{counts} ({found['accepted_per_s']}/s); errors: {found['errors'] or 'none'}"]
        lines.append(f"{'milliseconds from being due':<32}{'n':>9}{'p50':>9}{'p99':>9}{'p99.9':>9}{'max':>9}")
        lines.append(_line("answered with 202", found["answered_ms"]))
        for code, agency in found["agencies"].items():
            rows = [
                (name, row) for name, row in agency.items() if name.endswith("_ms") and isinstance(row, dict)
            ]
            lines += [_line(f"on {code}'s topic: {name.removesuffix('_ms')}", row) for name, row in rows]
            if agency["missing"]:
                lines.append(f"{agency['missing']} of the accepted reports were not seen by {code}")
        return [*lines, json.dumps(found)]


def _line(name: str, row: Mapping[str, float]) -> str:
    return f"{name:<32}" + "".join(f"{row.get(head, ''):>9}" for head in ("n", *SHARES))
