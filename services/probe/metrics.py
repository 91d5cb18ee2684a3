"""What the probe measures: each figure is a report that really went all the way, or did not."""

from enum import StrEnum
from typing import Protocol

from prometheus_client import Counter, Gauge, Histogram

from shared.telemetry.catalogue import AGES
from shared.telemetry.metric import Catalogue, Metric, counter, gauge, histogram


class Outcome(StrEnum):
    """What became of a test report; the closed list of the label `outcome`."""

    SEEN = "seen"
    """Its incident came on the stream in time."""
    REFUSED = "refused"
    """Intake did not accept it, or did not answer."""
    LOST = "lost"
    """It was accepted, and its incident did not come in time."""


class ByLaneOutcome(Protocol):
    def labels(self, lane: str, outcome: Outcome, /) -> Counter: ...


class SecondsByLane(Protocol):
    def labels(self, lane: str, /) -> Histogram: ...


class ProbeMetrics(Catalogue):
    """The catalogue; hand it to `Service.expose`."""

    reports: Metric[ByLaneOutcome] = counter(
        "probe_reports_total",
        "Test reports sent, by what became of them: seen, refused or lost.",
        "lane",
        "outcome",
        unit="reports",
    )
    seconds: Metric[SecondsByLane] = histogram(
        "probe_seconds", "From sending a test report to its incident on the stream.", "lane", buckets=AGES
    )
    last_seen: Metric[Gauge] = gauge(
        "probe_last_seen_timestamp_seconds",
        "When a test report last came back, since the Unix epoch; 0 until one has.",
        unit="seconds",
    )
