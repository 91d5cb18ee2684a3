"""Reports in, located reports out: with a place and a desk, in the lane they came in."""

from collections.abc import Iterable, Sequence

from services.geo.atlas import Atlas, Spot
from services.geo.desks import Desks
from services.geo.metrics import GeoMetrics, Outcome
from shared.bus import Emit, Service
from shared.contracts import Event, ReportLocated, ReportReceived, Topic
from shared.contracts.topics import (
    REPORTS_LOCATED,
    REPORTS_LOCATED_URGENT,
    REPORTS_RECEIVED,
    REPORTS_RECEIVED_URGENT,
)
from shared.contracts.values import Priority
from shared.pack.jurisdiction import Jurisdiction


class Locator:
    """Answers reports from the map of one jurisdiction."""

    def __init__(self, jurisdiction: Jurisdiction) -> None:
        self.metrics = GeoMetrics()
        self._atlas = Atlas(jurisdiction)
        self._desks = Desks(jurisdiction.pack)

    def locate(self, report: ReportReceived) -> ReportLocated:
        """Return the report with its place, its desk and the desks next door."""
        return self._located(report, self._atlas.spot(report.point))

    def locate_all(self, reports: Sequence[ReportReceived]) -> list[ReportLocated]:
        """Return the same for many reports, in a fraction of the time."""
        spots = self._atlas.spots([report.point for report in reports])
        return [self._located(report, spot) for report, spot in zip(reports, spots, strict=True)]

    def _located(self, report: ReportReceived, spot: Spot) -> ReportLocated:
        home, outcome = self._home(report, spot)
        neighbours = self._desks.next_door(report.category, report.priority, spot.near, home)
        self._count(spot, neighbours, outcome)
        return ReportLocated(**dict(report), desk=home, place=spot.place, neighbours=neighbours)

    def _home(self, report: ReportReceived, spot: Spot) -> tuple[str, Outcome]:
        if spot.area is None:
            return self._desks.triage, Outcome.NO_POINT if report.point is None else Outcome.OUTSIDE
        return self._desks.home(report.category, report.priority, spot.area)

    def _count(self, spot: Spot, neighbours: Sequence[str], outcome: Outcome) -> None:
        self.metrics.located.labels(outcome).inc()
        if neighbours:
            self.metrics.near_border.inc()
        if spot.place.zones:
            self.metrics.in_zones.inc()


def geo(jurisdiction: Jurisdiction) -> Service:
    """Return the service that locates reports in `jurisdiction`."""
    service, locator = Service("geo"), Locator(jurisdiction)
    service.expose(locator.metrics)

    @service.on_batch(REPORTS_RECEIVED_URGENT, REPORTS_RECEIVED)
    def locate(events: Sequence[Event[ReportReceived]]) -> Sequence[Iterable[Emit]]:
        located = locator.locate_all([event.data for event in events])
        return [[Emit(lane_of(data.priority), data)] for data in located]

    return service


def lane_of(priority: Priority) -> Topic:
    """Return the lane of a located report. The priority says it: a replayed report has come in on neither."""
    return REPORTS_LOCATED_URGENT if priority is Priority.P1 else REPORTS_LOCATED
