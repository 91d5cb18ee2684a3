"""After an outage: how long until nothing waits, and how long a process takes to start with all of that."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import httpx

from deploy.local.wait import poll
from shared.pack import load_pack
from tests.bench.stream.backlog import Watch, fill
from tests.bench.stream.history import live_through
from tests.bench.stream.town import Town, town
from tests.bench.tables import Row

RATE, HOUR = 50, 3600
SHARE = 0.1
"""Of the hour; the rest is arithmetic, and the table says so."""
FEW = 200
"""Reports that wait for a service that is started again: enough for every desk to get some."""
PAST = 100_000
"""Incidents of thirty days before, nearly all of them closed and gone."""
SEEDS = count(1)
STOPPED = ("geo", "dispatch", "notify")
MIX = "ordinary=7,repeat=3"
CATCH_UP_S, READY_S = 300.0, 120.0


def measure_outage(data: Path, scale: float) -> dict[str, Sequence[Row]]:
    """Return the rate of the catching up, and the seconds that services take to be ready again."""
    waiting, past = int(RATE * HOUR * SHARE * scale), int(PAST * scale)
    with town(data) as found:
        processes = found.world.processes
        for name in STOPPED:
            processes[name].stop()
        watch, traces = Watch(found.world.kafka), fill(found.world.kafka, waiting, MIX)
        begun = time.perf_counter()
        for name in STOPPED:
            processes[name].start()
        seen, last = watch.until_seen(traces, CATCH_UP_S)
        watch.close()
        rate = seen / (last - begun)
        catching = {
            "waiting": f"{waiting:,}",
            "seen": f"{seen:,}",
            "s, start of the services included": round(last - begun, 1),
            "reports/s": round(rate),
            f"an hour at {RATE}/s, by that rate: s": round(RATE * HOUR / rate),
            f"while {RATE}/s go on: s": round(RATE * HOUR / (rate - RATE)) if rate > RATE else "never",
        }
        starts = [_restarted(found, name, f"{seen:,} open") for name in ("dispatch", "notify")]
    with town(data) as found:
        starts.append(_restarted(found, "dispatch", "the warm-up's"))
        starts.append(_restarted(found, "dispatch", f"and {past:,} past", past))
    return {"stream: after an outage": [catching], "stream: start": starts}


def _restarted(found: Town, name: str, holds: str, past: int = 0) -> Row:
    """Stop a service, let every desk get something to do, and start it: ready is not yet at work.

    `past` are incidents that its desks are made to have had meanwhile.
    """
    process, kafka = found.world.processes[name], found.world.kafka
    process.stop()
    if past:
        asyncio.run(live_through(found.world.store(name), load_pack(None), past, datetime.now(UTC)))
    watch, traces = Watch(kafka), fill(kafka, FEW, MIX, seed=next(SEEDS))
    begun = time.perf_counter()
    process.start()
    poll(lambda: _ready(found, name), READY_S, f"{name} ready")
    ready = time.perf_counter() - begun
    seen, last = watch.until_seen(traces, READY_S)
    watch.close()
    return {
        "service": name,
        "incidents": holds,
        "ready after s": round(ready, 1),
        "reports that waited": FEW,
        "seen": seen,
        "the last after s": round(last - begun, 1),
        "MB": round(found.costs.rss[name]),
    }


def _ready(found: Town, name: str) -> bool:
    try:
        return httpx.get(f"{found.world.health(name)}/readyz", timeout=2).is_success
    except httpx.HTTPError:
        return False
