"""The reference page of the metrics is the catalogue, written down."""

from pathlib import Path

from shared.telemetry import Reason
from shared.telemetry.catalogue import Metrics
from shared.telemetry.reference import metrics_page

PAGE = Path(__file__).parents[2] / "docs/reference/metrics.md"


def test_the_committed_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == metrics_page(), "run: python -m shared.telemetry"


def test_the_page_names_every_metric_and_every_reason() -> None:
    page = metrics_page()
    assert all(f"`ruamjai_{metric.name}`" in page for metric in Metrics.declared().values())
    assert all(f"`{reason}`" in page for reason in Reason)
