"""The urgent lane: 100,000 ordinary reports wait and the front door is at its limit; who is delayed?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.stream.backlog import fill
from tests.bench.stream.crew import Crew, at_work
from tests.bench.stream.town import AGENCY, CALLERS, town
from tests.bench.tables import Row

BACKLOG = 100_000
URGENT = "urgent=1"
ORDINARY = "ordinary=6,repeat=4"
RATE = 5
UNLOADED_S, LOADED_S = 40, 60
FLOOD = 600
"""Ordinary reports a second from a caller who may send 500: intake at its limit."""
PATIENCE_S = 60
ACKNOWLEDGE = {"ACKNOWLEDGE_SECONDS": "20"}


def measure_urgent(data: Path, scale: float) -> dict[str, Sequence[Row]]:
    """Return the delay of urgent reports without and with the flood, and what crews saw of escalations."""
    with town(data, extra=ACKNOWLEDGE) as found, at_work(Crew(found)) as crews:
        calm = found.load(RATE, max(10, UNLOADED_S * scale), mix=URGENT, patience=PATIENCE_S)
        rows = [_row("nothing else", calm, crews, "")]
        fill(found.world.kafka, int(BACKLOG * scale), ORDINARY)
        seconds = max(10, LOADED_S * scale)
        one, others = found.keys(CALLERS[:1]), found.keys(CALLERS[1:])
        flood = found.loading(FLOOD, seconds, mix=ORDINARY, connections=128, keys=one, patience=0)
        hot = found.load(RATE, seconds, mix=URGENT, keys=others, patience=PATIENCE_S)
        flood.wait()
        rows.append(_row(f"{BACKLOG * scale:,.0f} queued, {FLOOD}/s more", hot, crews, _limit(calm)))
    return {"stream: urgent lane": rows}


def _limit(calm: Mapping[str, Any]) -> float:
    p99: float = calm["agencies"][AGENCY]["all_ms"]["p99"]
    return round(2 * p99 + 50, 1)


def _row(when: str, document: Mapping[str, Any], crews: Crew, limit: object) -> Row:
    agency = document["agencies"][AGENCY]
    return {
        "meanwhile": when,
        "accepted": document["accepted"],
        "errors": sum(document["errors"].values()),
        "missing": agency["missing"],
        "202 p99 ms": document["answered_ms"].get("p99"),
        **{f"{name} ms": agency["all_ms"].get(name) for name in ("p50", "p99", "max")},
        "p99 goal ms": limit,
        "acknowledged so far": crews.acknowledged,
        "escalated": crews.escalated,
        "escalated falsely": crews.false,
    }
