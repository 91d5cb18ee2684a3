"""Makes of what was sent what the platform works with: the event's body, and what is sealed. Pure."""

from datetime import datetime

from pydantic_core import to_json

from services.intake.report import NewReport
from services.intake.triage import Triage, triage
from shared.contracts import ReportReceived
from shared.contracts.values import GeoPoint, Sealed
from shared.text import normalise, public


def judge(sent: NewReport) -> Triage:
    """Return what the report is about and how soon somebody must go."""
    text = normalise(sent.text)
    return triage(text, category=sent.category, priority=sent.priority, reporter=sent.reporter_kind)


def event_body(
    sent: NewReport, report_id: str, now: datetime, judged: Triage, sealed: Sealed
) -> ReportReceived:
    """Return the body for the bus: the text normalised and masked, nothing that names the reporter."""
    return ReportReceived(
        status=sent.status,
        report_id=report_id,
        received_at=now,
        reported_at=sent.reported_at,
        channel=sent.channel,
        reporter=sent.reporter_kind,
        category=judged.category,
        priority=judged.priority,
        text=public(sent.text),
        point=sent.point and GeoPoint(lat=sent.point.lat, lon=sent.point.lon),
        sealed=sealed,
    )


def personal(sent: NewReport) -> bytes:
    """Return what is sealed: JSON of the original `text`, and what was given of the reporter."""
    person = sent.reporter.model_dump(exclude_none=True) if sent.reporter else {}
    return to_json({"text": sent.text, **person})
