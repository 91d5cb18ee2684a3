"""From the front door to an agency's topic: how long at what rate, what it costs, and where it ends."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.stream.costs import NAMES, Costs
from tests.bench.stream.town import AGENCY, Town, town
from tests.bench.tables import Row

RATES = (10, 50, 200)
SECONDS = {10: 40, 50: 40, 200: 60}
REST_SECONDS = 10.0
STEPS = (250, 300, 350, 400, 500, 600, 800, 1000)
STEP_SECONDS = 15
TABLES = ("delay", "core-ms a report", "memory MB", "disk KB a report", "highest rate")
LATE_S = 2.0
"""How long after the last report was due the last one may be seen at a rate that is sustained."""


def measure_latency(data: Path, scale: float) -> dict[str, Sequence[Row]]:
    """Return the tables: delay by rate, cost by process, memory, and the highest rate that is sustained."""
    tables: dict[str, list[Row]] = {name: [] for name in TABLES}
    for store in ("SQLite", "MongoDB-compatible"):
        files = store == "SQLite"
        with town(data, files=files) as found:
            _measure(found, store, scale, tables)
        with town(data, files=files) as found:  # what the first one holds open is no part of this
            tables["highest rate"] += [{"store": store, **row} for row in _climb(found, scale)]
    return {f"stream: {name}": rows for name, rows in tables.items()}


def _measure(found: Town, store: str, scale: float, tables: dict[str, list[Row]]) -> None:
    resting, cores = _at_rest(found)
    tables["memory MB"].append({"store": store, "when": "at rest", **_megabytes(resting)})
    tables["core-ms a report"].append(
        _said({"store": store, "rate/s": "at rest: cores", **_each(cores, "all")})
    )
    for rate in RATES:
        before, held = found.costs, found.disk()
        document = found.load(rate, max(5, SECONDS[rate] * scale))
        after = found.costs
        tables["delay"].append(_said({"store": store, **delay_row(document)}))
        cost = {"store": store, "rate/s": rate, **_cost(after, before, document)}
        tables["core-ms a report"].append(_said(cost))
        tables["memory MB"].append(_said({"store": store, "when": f"after {rate}/s", **_megabytes(after)}))
        tables["disk KB a report"].append(
            {"store": store, "rate/s": rate, **_disk(found.disk(), held, document)}
        )


def _said(row: Row) -> Row:
    """Print a row at once: a run that is cut off has then not been for nothing."""
    print("  " + ", ".join(f"{name} {value}" for name, value in row.items() if value != ""), flush=True)
    return row


def _at_rest(found: Town) -> tuple[Costs, dict[str, float]]:
    before, start = found.costs, time.perf_counter()
    time.sleep(REST_SECONDS)
    after, seconds = found.costs, time.perf_counter() - start
    return after, {name: cpu / seconds for name, cpu in after.since(before).items()}


def delay_row(document: Mapping[str, Any]) -> Row:
    """Return what a load showed of delay, at the front door and at the agency's topic."""
    agency = document["agencies"][AGENCY]
    ms = agency["all_ms"]
    return {
        "rate/s": document["rate"],
        "accepted": document["accepted"],
        "errors": sum(document["errors"].values()),
        "missing": agency["missing"],
        "202 p50 ms": document["answered_ms"].get("p50"),
        "202 p99 ms": document["answered_ms"].get("p99"),
        **{f"{name} ms": ms.get(name) for name in ("p50", "p99", "p99.9", "max")},
    }


def _cost(after: Costs, before: Costs, document: Mapping[str, Any]) -> dict[str, object]:
    accepted = max(1, document["accepted"])
    each = {name: cpu * 1000 / accepted for name, cpu in after.since(before).items()}
    return {**_each(each, "all"), "generator": f"{document['own_cpu_s'] * 1000 / accepted:.2f}"}


def _disk(after: Mapping[str, int], before: Mapping[str, int], document: Mapping[str, Any]) -> Row:
    accepted = max(1, document["accepted"])
    return {name: f"{(size - before[name]) / 1024 / accepted:.1f}" for name, size in after.items()}


def _each(values: Mapping[str, float], total: str) -> dict[str, object]:
    found = {name: f"{values.get(name, 0.0):.2f}" for name in NAMES}
    return {**found, total: f"{sum(values.values()):.2f}", "generator": ""}


def _megabytes(costs: Costs) -> dict[str, object]:
    return {name: round(costs.rss.get(name, 0.0)) for name in NAMES}


def _climb(found: Town, scale: float) -> list[Row]:
    """Try one rate after the other until one is not sustained: that one is the last row."""
    rows: list[Row] = []
    for rate in STEPS:
        before, document = found.costs, found.load(rate, max(5, STEP_SECONDS * scale), connections=128)
        agency, burnt = document["agencies"][AGENCY], sum(found.costs.since(before).values())
        held = agency["last_s_after_end"] <= LATE_S and not agency["missing"] and not document["errors"]
        row = {
            **delay_row(document),
            "last seen after s": agency["last_s_after_end"],
            "core-ms": f"{burnt * 1000 / max(1, document['accepted']):.2f}",
            "sustained": "yes" if held else "no",
        }
        rows.append(_said(row))
        if not held:
            break
    return rows
