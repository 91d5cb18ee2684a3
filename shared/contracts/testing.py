"""Plausible events for tests: everything filled in, and what matters given by name."""

from datetime import UTC, datetime

from shared.contracts.ids import new_id
from shared.contracts.incident import IncidentOpened
from shared.contracts.values import GeoPoint, Priority
from shared.contracts.view import IncidentView, Lifecycle

NOON = datetime(2026, 1, 1, 5, tzinfo=UTC)


def an_incident(*, category: str = "road_accident", desk: str = "670101") -> IncidentOpened:
    """Return a new incident of `category`, opened by `desk` in the town of Phetchabun."""
    view = IncidentView(
        desk=desk,
        lifecycle=Lifecycle.RECEIVED,
        category=category,
        priority=Priority.P2,
        point=GeoPoint(lat=16.4189, lon=101.1567),
        opened_at=NOON,
        report_count=1,
    )
    return IncidentOpened(incident_id=new_id(), seq=1, view=view)
