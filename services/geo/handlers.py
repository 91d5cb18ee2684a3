"""Reports in, located reports out: with a place and a desk, in the lane they came in."""

from collections.abc import Iterable, Sequence
from pathlib import Path

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
from shared.pack.jurisdiction import Jurisdiction, load_jurisdiction
from shared.pack.watch import PackWatch


class Map:
    """One jurisdiction, ready to be asked."""

    def __init__(self, jurisdiction: Jurisdiction) -> None:
        self.pack, self.atlas, self.desks = jurisdiction.pack, Atlas(jurisdiction), Desks(jurisdiction.pack)


class Locator:
    """Answers reports from the map in use."""

    def __init__(self, jurisdiction: Jurisdiction) -> None:
        self.metrics = GeoMetrics()
        self.map = Map(jurisdiction)

    def use(self, changed: Map) -> None:
        """Answer from another map from now on."""
        self.map = changed

    def locate(self, report: ReportReceived) -> ReportLocated:
        """Return the report with its place, its desk and the desks next door."""
        return self._located(report, self.map.atlas.spot(report.point))

    def locate_all(self, reports: Sequence[ReportReceived]) -> list[ReportLocated]:
        """Return the same for many reports, in a fraction of the time."""
        spots = self.map.atlas.spots([report.point for report in reports])
        return [self._located(report, spot) for report, spot in zip(reports, spots, strict=True)]

    def _located(self, report: ReportReceived, spot: Spot) -> ReportLocated:
        home, outcome = self._home(report, spot)
        neighbours = self.map.desks.next_door(report.category, report.priority, spot.near, home)
        self._count(spot, neighbours, outcome)
        return ReportLocated(**dict(report), desk=home, place=spot.place, neighbours=neighbours)

    def _home(self, report: ReportReceived, spot: Spot) -> tuple[str, Outcome]:
        if spot.area is None:
            return self.map.desks.triage, Outcome.NO_POINT if report.point is None else Outcome.OUTSIDE
        return self.map.desks.home(report.category, report.priority, spot.area)

    def _count(self, spot: Spot, neighbours: Sequence[str], outcome: Outcome) -> None:
        self.metrics.located.labels(outcome).inc()
        if neighbours:
            self.metrics.near_border.inc()
        if spot.place.zones:
            self.metrics.in_zones.inc()


def geo(jurisdiction: Jurisdiction, watch: PackWatch | None = None) -> Service:
    """Return the service that locates reports in `jurisdiction`, and in what `watch` finds in its place."""
    service, locator = Service("geo"), Locator(jurisdiction)
    service.expose(locator.metrics)
    if watch is not None:
        service.expose(watch.metrics)
        service.beside(lambda _: watch.follow(locator.map, mapped, locator.use), without_store=True)

    @service.on_batch(REPORTS_RECEIVED_URGENT, REPORTS_RECEIVED)
    def locate(events: Sequence[Event[ReportReceived]]) -> Sequence[Iterable[Emit]]:
        located = locator.locate_all([event.data for event in events])
        return [[Emit(lane_of(data.priority), data)] for data in located]

    return service


def mapped(folder: Path) -> Map:
    """Return the map of the pack in `folder`. Raises PackError."""
    return Map(load_jurisdiction(folder))


def lane_of(priority: Priority) -> Topic:
    """Return the lane of a located report. The priority says it: a replayed report has come in on neither."""
    return REPORTS_LOCATED_URGENT if priority is Priority.P1 else REPORTS_LOCATED
