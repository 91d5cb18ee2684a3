"""What a desk remembers of a report."""

from pydantic import AwareDatetime

from shared.contracts.event import Model
from shared.contracts.report import ReportLocated
from shared.contracts.values import Code, GeoPoint, Id, Place, Priority, Text
from shared.contracts.view import IncidentView


class Told(Model):
    """What is needed of a report to link it, and to open its own incident should the link be undone."""

    report_id: Id
    received_at: AwareDatetime
    category: Code
    priority: Priority
    text: Text
    point: GeoPoint | None
    place: Place

    @classmethod
    def of(cls, report: ReportLocated) -> "Told":
        """Return what is needed of `report`."""
        return cls(**{name: getattr(report, name) for name in cls.model_fields})

    @classmethod
    def of_view(cls, view: IncidentView, report_id: str) -> "Told":
        """Return what `view` says of its report `report_id`, where nothing else is known of it."""
        said = {name: getattr(view, name) for name in ("category", "priority", "text", "point", "place")}
        return cls(report_id=report_id, received_at=view.opened_at, **said)
