"""What a Grafana panel is made of, as plain JSON; a metric's own panel follows from its declaration."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.watch.catalogues import Known

Json = dict[str, Any]
SOURCE: Json = {"type": "prometheus", "uid": "${source}"}
COLUMNS = 24
UNITS = {"seconds": "s", "0 or 1": "bool_yes_no", "always 1": "none"}
QUANTILES = (0.5, 0.99)


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: its queries are (PromQL, legend). `about` is what its help says."""

    title: str
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    height: int = 7
    about: str = ""
    red_from: float | None = None
    """From which value on it is red."""

    def json(self, id_: int, x: int, y: int) -> Json:
        """Return it as Grafana stores it, at (`x`, `y`)."""
        steps: list[Json] = [{"color": "green", "value": None}]
        if self.red_from is not None:
            steps.append({"color": "red", "value": self.red_from})
        return {
            "id": id_,
            "type": self.kind,
            "title": self.title,
            "description": self.about,
            "datasource": SOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "fieldConfig": {
                "defaults": {"unit": self.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}},
                "overrides": [],
            },
            "options": {},
            "targets": [
                {"refId": chr(ord("A") + n), "expr": query, "legendFormat": legend, "datasource": SOURCE}
                for n, (query, legend) in enumerate(self.queries)
            ],
        }


def panel_of(known: Known, *, where: str = "") -> Panel:
    """Return the panel of one metric: a rate, quantiles, or the value itself, by all its labels.

    `where`: a label matcher, such as `agency="$agency"`.
    """
    labels = [label for label in known.metric.labels if label != "partition"]
    legend = " ".join(f"{{{{{label}}}}}" for label in labels) or "{{job}}"
    unit = UNITS.get(known.metric.unit, "short")
    title = known.metric.name.removesuffix("_total").replace("_", " ")
    return Panel(title, _queries(known, labels, legend, where), unit, about=known.metric.help)


def _queries(known: Known, labels: list[str], legend: str, where: str) -> list[tuple[str, str]]:
    by, name = ", ".join(labels or ["job"]), known.name
    chosen = f"{{{where}}}" if where else ""
    if known.is_histogram:
        rate = f"sum by ({', '.join(['le', *labels])}) (rate({name}_bucket{chosen}[$__rate_interval]))"
        return [(f"histogram_quantile({q}, {rate})", f"p{q * 100:g} {legend}") for q in QUANTILES]
    if known.counts:
        return [(f"sum by ({by}) (rate({name}{chosen}[$__rate_interval]))", legend)]
    if known.metric.name.endswith("timestamp_seconds"):
        return [(f"max by ({by}) ({name}{chosen}) * 1000", legend)]
    summed = "max" if known.metric.unit in UNITS else "sum"
    return [(f"{summed} by ({by}) ({name}{chosen})", legend)]


def dashboard(
    uid: str, title: str, rows: Iterable[tuple[str, Sequence[Panel]]], variables: list[Json]
) -> Json:
    """Return a dashboard whose rows are (title, panels), laid out from left to right."""
    panels: list[Json] = []
    y = 0
    for name, row in rows:
        panels.append(_heading(name, len(panels) + 1, y))
        y = _lay_out(panels, row, y + 1)
    return {
        "uid": uid,
        "title": title,
        "tags": ["ruamjai"],
        "timezone": "browser",
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [_sources(), *variables]},
        "annotations": {"list": []},
        "links": [{"title": "Ruamjai", "type": "dashboards", "tags": ["ruamjai"], "asDropdown": False}],
        "panels": panels,
    }


def _heading(name: str, id_: int, y: int) -> Json:
    place = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
    return {"id": id_, "type": "row", "title": name, "collapsed": False, "gridPos": place, "panels": []}


def _lay_out(panels: list[Json], row: Sequence[Panel], y: int) -> int:
    """Append the panels of one row from `y` on; return where the next row begins."""
    x = tallest = 0
    for panel in row:
        if x + panel.width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        panels.append(panel.json(len(panels) + 1, x, y))
        x, tallest = x + panel.width, max(tallest, panel.height)
    return y + tallest


def _sources() -> Json:
    return {
        "name": "source",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
    }
