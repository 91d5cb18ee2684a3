"""What geo measures, beside what every service measures: where reports end up, and why."""

from enum import StrEnum
from typing import Protocol

from prometheus_client import Counter

from shared.telemetry.metric import Catalogue, Metric, counter


class Outcome(StrEnum):
    """How a report got its desk; the closed list of the label `outcome`."""

    PLACED = "placed"
    """The desk of the first role that goes to such a report, in the area of the point."""
    FELL_BACK = "fell_back"
    """That role has no desk there: the police desk of the area."""
    NO_DESK = "no_desk"
    """Nor have the police: triage."""
    OUTSIDE = "outside"
    """The point is in no area of the pack: triage."""
    NO_POINT = "no_point"
    """The reporter did not say where: triage."""


class ByOutcome(Protocol):
    def labels(self, outcome: Outcome, /) -> Counter: ...


class GeoMetrics(Catalogue):
    """Geo's catalogue; hand it to `Service.expose`."""

    located: Metric[ByOutcome] = counter(
        "geo_located_total", "Reports given a desk, by how it was found.", "outcome", unit="reports"
    )
    near_border: Metric[Counter] = counter(
        "geo_near_border_total", "Reports offered to the desk next door as well.", unit="reports"
    )
    in_zones: Metric[Counter] = counter(
        "geo_in_zones_total", "Reports from inside a safety zone.", unit="reports"
    )
