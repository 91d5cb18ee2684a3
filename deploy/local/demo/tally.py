"""Counts what independent clients read, record by record: the figures of a demonstration or a replay."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from deploy.local.demo.witness import Seen


@dataclass
class Tally:
    """Keeps figures and ids, never a record. A record that repeats under its id counts once."""

    kinds: Counter[str] = field(default_factory=Counter)
    """Numbered events of incidents, by `noun.verb`."""
    assigned: set[str] = field(default_factory=set)
    """Tasks that got a unit."""
    first: dict[str, tuple[float, str]] = field(default_factory=dict)
    """By report: when it was first read in an incident, monotonic seconds, and that event's own time."""
    linked: set[str] = field(default_factory=set)
    """Reports that are, or were, part of an incident."""
    shared: Counter[str] = field(default_factory=Counter)
    """Events on each agency's topic."""
    withheld: Counter[str] = field(default_factory=Counter)
    dead_letters: int = 0
    _known: set[tuple[str, str]] = field(default_factory=set)

    def hear(self, record: Seen) -> None:
        """Take a record in."""
        if record.id and (record.topic, record.id) in self._known:
            return
        self._known.add((record.topic, record.id))
        if record.topic.endswith(".dlq"):
            self.dead_letters += 1
        elif record.topic == "incidents":
            self._incident(record)
        elif record.topic == "deliveries":
            self._deliveries(record.data)
        elif record.kind == "incident.shared":
            self.shared[record.topic.split(".")[1]] += 1

    def _incident(self, record: Seen) -> None:
        view = record.data.get("view")
        if not view:
            return
        self.kinds[record.kind] += 1
        self.assigned.update(task["task_id"] for task in view["tasks"] if task["units"])
        for link in view["reports"]:
            self.first.setdefault(link["report_id"], (record.at, record.headers.get("ce_time", "")))
            if not link["suggested"]:
                self.linked.add(link["report_id"])

    def _deliveries(self, data: Mapping[str, Any]) -> None:
        told = data["deliveries"]
        self.withheld.update(one["agency"] for one in told if one["outcome"] == "withheld")

    def missing(self, accepted: Mapping[str, float]) -> set[str]:
        """Return those of the reports that were answered with 202 and are in no incident."""
        return accepted.keys() - self.linked

    def times(self, accepted: Mapping[str, float]) -> tuple[float, float]:
        """Return p50 and p99 of the milliseconds from sending to the incident; `accepted` has when each was.

        (0, 0) where fewer than two have come.
        """
        found = [(self.first[id_][0] - at) * 1000 for id_, at in accepted.items() if id_ in self.first]
        cuts = quantiles(sorted(found), n=100, method="inclusive") if len(found) > 1 else [0.0] * 99
        return cuts[49], cuts[98]
