"""Geo's metrics are shown at /metrics beside the kernel's, and its README names each."""

from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from services.geo.metrics import GeoMetrics, Outcome
from shared.telemetry import Metrics
from shared.telemetry.metric import PREFIX, Metric

README = Path(__file__).parents[2] / "services/geo/README.md"


def test_they_share_a_registry_with_those_of_every_service() -> None:
    registry, metrics = CollectorRegistry(), GeoMetrics()
    Metrics(registry)
    registry.register(metrics)
    metrics.located.labels(Outcome.OUTSIDE).inc()
    assert b'ruamjai_geo_located_total{outcome="outside"} 1.0' in generate_latest(registry)


def test_the_readme_names_every_metric_and_every_outcome() -> None:
    text = README.read_text(encoding="utf-8")
    declared = [metric.name for metric in vars(GeoMetrics).values() if isinstance(metric, Metric)]
    assert len(declared) == 3
    assert all(f"`{PREFIX}{name}`" in text for name in declared)
    assert all(f"`{outcome}`" in text for outcome in Outcome)
