"""Records what processes show at `/metrics`, as Prometheus would have it, in the notation of promtool."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.watch.rules import NAME, RULES

EVERY_SECONDS = 5
TIMEOUT_SECONDS = 2.0
STALE = "stale"
BOUND = "5.0"
"""The one bucket that rules look at."""
OWN_CLOCK = "ruamjai_clock_timestamp_seconds"
Extra = Callable[[], Mapping[str, float]]
"""Series of others, such as a node's, with their present values."""


@dataclass
class Recorder:
    """The samples of the series that rules speak of, one list per series, a place for each scrape."""

    targets: Mapping[str, str]
    """By job: the base URL of its metrics."""
    extra: Extra = dict
    began: float = field(default_factory=time.time)
    scrapes: int = 0
    series: dict[str, list[float | None]] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)

    async def run(self) -> None:
        """Scrape every few seconds until cancelled."""
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
            while True:
                await asyncio.sleep(max(0.0, self.began + self.scrapes * EVERY_SECONDS - time.time()))
                await self.scrape(client)

    async def scrape(self, client: httpx.AsyncClient) -> None:
        """Take one sample of everything."""
        asked = await asyncio.gather(*(self._ask(client, job, url) for job, url in self.targets.items()))
        found = {name: value for samples in asked for name, value in samples.items()} | dict(self.extra())
        for name, value in found.items():
            self.series.setdefault(name, [None] * self.scrapes).append(value)
        self.scrapes += 1
        for values in self.series.values():
            values += [None] * (self.scrapes - len(values))

    def mark(self, name: str) -> None:
        """Remember the last scrape as one at which a judgement is due."""
        self.marks[name] = (self.scrapes - 1) * EVERY_SECONDS

    async def _ask(self, client: httpx.AsyncClient, job: str, url: str) -> dict[str, float]:
        now = time.time()  # as Prometheus has it: when the scrape begins
        try:
            text = (await client.get(f"{url}/metrics")).text
        except httpx.HTTPError:
            return {}
        names = wanted()
        return {
            named(s.name, {**s.labels, "job": job, "instance": f"{job}-0"}): self._moved(s.name, s.value, now)
            for family in text_string_to_metric_families(text)
            for s in family.samples
            if s.name in names and s.labels.get("le", BOUND) == BOUND
        }

    def _moved(self, name: str, value: float, now: float) -> float:
        """Return an instant as seconds since the recording began, whose time promtool lets begin at 0."""
        if not name.endswith("timestamp_seconds") or not value:
            return value
        late = now - self.began - self.scrapes * EVERY_SECONDS if name == OWN_CLOCK else 0.0
        return round(value - self.began - late, 3)

    def write(self, path: Path) -> None:
        """Write the recording."""
        rows = [{"series": name, "values": encoded(values)} for name, values in sorted(self.series.items())]
        document: dict[str, Any] = {"interval": f"{EVERY_SECONDS}s", "marks": self.marks, "series": rows}
        path.write_text(yaml.safe_dump(document, sort_keys=False, width=10_000), encoding="utf-8")


@cache
def wanted() -> set[str]:
    """The names of the series that rules speak of."""
    return set(NAME.findall(" ".join(path.read_text() for path in RULES)))


def named(name: str, labels: Mapping[str, str]) -> str:
    """A series as promtool spells it."""
    inner = ", ".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{inner}}}"


def encoded(values: list[float | None]) -> str:
    """The values in promtool's notation; a series that has gone is marked as Prometheus does."""
    shown: list[str] = []
    for before, value in zip([None, *values], values, strict=False):
        gone = value is None and before is not None
        shown.append(STALE if gone else "_" if value is None else f"{value:.15g}")
    return " ".join(_run(token, len(list(same))) for token, same in groupby(shown))


def _run(token: str, count: int) -> str:
    if token == STALE or count == 1:
        return " ".join([token] * count)
    return f"_x{count}" if token == "_" else f"{token}x{count - 1}"
