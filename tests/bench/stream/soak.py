"""`make soak`: hours at one rate, and whether memory stays flat: its slope per process, in MB an hour.

What is opened is closed half a minute later, and forgotten soon after: what is open is in memory by design.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from deploy.local.unavailable import Unavailable
from tests.bench.machine import facts
from tests.bench.stream.costs import NAMES, Costs
from tests.bench.stream.crew import Closer, at_work
from tests.bench.stream.latency import delay_row
from tests.bench.stream.town import Town, finished, town
from tests.bench.tables import Row, table

OUT = Path("build/soak.json")
EVERY_S = 5.0
FORGETFUL = {"FORGET_SECONDS": "30"}
Samples = list[tuple[float, Costs]]
SETTLED = 0.2
"""Share of the run after which the slope is taken."""


def soak(found: Town, seconds: float, rate: float, mix: str) -> tuple[Row, list[Row]]:
    """Return what the load saw, and a row per process: MB before, after, and the slope."""
    with at_work(Closer(found)) as closer:
        delay, slopes = _soak(found, seconds, rate, mix)
    return {**delay, "closed": closer.closed, "not closed": closer.errors}, slopes


def _soak(found: Town, seconds: float, rate: float, mix: str) -> tuple[Row, list[Row]]:
    load = found.loading(rate, seconds, mix=mix, patience=60)
    samples: Samples = []
    begun = time.monotonic()
    while load.poll() is None and time.monotonic() - begun < seconds:
        samples.append((time.monotonic() - begun, found.costs))
        time.sleep(EVERY_S)
    document = finished(load)
    counted = [sample for sample in samples if sample[0] >= SETTLED * seconds]
    return delay_row(document), [_row(name, counted) for name in NAMES]


def _row(name: str, samples: Samples) -> Row:
    megabytes = [costs.rss.get(name, 0.0) for _, costs in samples]
    return {
        "process": name,
        "MB first": round(megabytes[0], 1),
        "MB last": round(megabytes[-1], 1),
        "MB/h": _slope(name, samples),
        "MB/h, last quarter": _slope(name, samples[len(samples) * 3 // 4 :]),
    }


def _slope(name: str, samples: Samples) -> float:
    hours = [at / 3600 for at, _ in samples]
    return round(float(np.polyfit(hours, [costs.rss.get(name, 0.0) for _, costs in samples], 1)[0]), 1)


def main() -> int:
    """Run it and print the tables."""
    parser = argparse.ArgumentParser(prog="make soak SECONDS=... RATE=...", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--mix", default="ordinary=6,urgent=1,repeat=3")
    parser.add_argument("--server", action="store_true", help="with a store server, not SQLite files")
    args = parser.parse_args()
    try:
        with (
            TemporaryDirectory() as folder,
            town(Path(folder), files=not args.server, extra=FORGETFUL) as found,
        ):
            delay, slopes = soak(found, args.seconds, args.rate, args.mix)
    except Unavailable as reason:
        print(f"no soak here: {reason}", file=sys.stderr)
        return 1
    print(table(f"soak of {args.seconds:g} s, {args.mix}", [delay]), table("memory", slopes), sep="\n")
    OUT.parent.mkdir(exist_ok=True)
    document = {"machine": facts("native 4.3.0"), **vars(args), "delay": delay, "memory": slopes}
    OUT.write_text(json.dumps(document, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
