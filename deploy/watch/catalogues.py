"""Every metric there is, with the service that has it: what rules and dashboards may speak of."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import Counter, Histogram

from services.dispatch.metrics import DispatchMetrics
from services.geo.metrics import GeoMetrics
from services.intake.metrics import IntakeMetrics
from services.notify.metrics import NotifyMetrics
from services.probe.metrics import ProbeMetrics
from shared.pack.metrics import PackMetrics
from shared.telemetry import Metrics
from shared.telemetry.metric import PREFIX, Catalogue, Metric

CATALOGUES: dict[str, type[Catalogue]] = {
    "Intake": IntakeMetrics,
    "Geo": GeoMetrics,
    "Dispatch": DispatchMetrics,
    "Notify": NotifyMetrics,
    "Probe": ProbeMetrics,
    "Kernel": Metrics,
    "Packs": PackMetrics,
}


@dataclass(frozen=True, slots=True)
class Known:
    """One metric of one part of the platform."""

    part: str
    metric: Metric[object]

    @property
    def name(self) -> str:
        """Its full name."""
        return PREFIX + self.metric.name

    @property
    def counts(self) -> bool:
        """Whether it only ever grows."""
        return self.metric.kind is Counter

    @property
    def is_histogram(self) -> bool:
        """Whether it is a distribution."""
        return self.metric.kind is Histogram

    def series(self) -> Iterator[str]:
        """Yield the names under which Prometheus has it."""
        ends = ("_bucket", "_count", "_sum") if self.is_histogram else ("",)
        yield from (self.name + end for end in ends)


def known() -> list[Known]:
    """Return every metric, in the catalogues' order."""
    return [
        Known(part, metric)
        for part, catalogue in CATALOGUES.items()
        for metric in catalogue.declared().values()
    ]
