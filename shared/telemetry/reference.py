"""Writes the metrics' reference page from the catalogue, so that the page cannot disagree with the code."""

from shared.telemetry.catalogue import Metrics
from shared.telemetry.metric import PREFIX, Metric
from shared.telemetry.reasons import Reason

_INTRO = """# Metrics

Generated from `shared/telemetry/catalogue.py` by `python -m shared.telemetry`; do not edit.

Every service exposes these at `/metrics`. A series appears when its labels are first used. A handler's or a
store operation's time is real time; ages are in the platform clock's seconds.

| metric | kind | labels | unit | meaning |
|---|---|---|---|---|
"""

_REASONS = """
## Reasons

The label `reason` takes one of these and nothing else.

| reason | meaning |
|---|---|
"""


def metrics_page() -> str:
    """The reference page in Markdown, ending with a newline."""
    rows = "".join(_row(metric) for metric in Metrics.declared().values())
    reasons = "".join(f"| `{reason}` | {reason.meaning} |\n" for reason in Reason)
    return _INTRO + rows + _buckets() + _REASONS + reasons


def _row(metric: Metric[object]) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
    kind = metric.kind.__name__.lower()
    return f"| `{PREFIX}{metric.name}` | {kind} | {labels} | {metric.unit} | {metric.help} |\n"


def _buckets() -> str:
    rows = "".join(
        f"| `{PREFIX}{metric.name}` | {', '.join(f'{bound:g}' for bound in metric.buckets)} |\n"
        for metric in Metrics.declared().values()
        if metric.buckets
    )
    return f"\n## Buckets\n\n| histogram | upper bounds |\n|---|---|\n{rows}"
