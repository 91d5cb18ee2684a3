"""Linking alone, without services: every day of a file in seconds, to see on which days it is hard, and why.

Reports go to desks as intake's triage, the pack and the city's own battalions say; an incident takes reports
until the last of the units that the city sent was free again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.dispatch.linking import Band, judge
from services.dispatch.told import Told as Heard
from services.intake.draft import judge as triage
from services.intake.report import NewReport
from shared.contracts.values import GeoPoint, Place
from shared.pack import Pack
from tests.city.calls import Incident
from tests.city.city import OUT_OF_TOWN, area_of
from tests.city.reports import Told

NOBODY = "triage"


@dataclass
class Open:
    """An incident as linking sees it."""

    desk: str
    until: datetime
    heard: list[Heard] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)


def linked(told: Sequence[Told], pack: Pack) -> list[list[Told]]:
    """Return the reports of a day as they are put together."""
    found: dict[str, Open] = {}
    for number, report in enumerate(told):
        heard, desk = _heard(report, str(number), pack)
        verdict = judge(heard, _candidates(found, desk, report.at))
        if verdict.band is Band.LINK and verdict.incident_id:
            one = found[verdict.incident_id]
        else:
            one = found[heard.report_id] = Open(desk, _end(report.about))
        one.heard.append(heard)
        one.told.append(report)
    return [one.told for one in found.values()]


def _heard(report: Told, report_id: str, pack: Pack) -> tuple[Heard, str]:
    """Return what a desk hears of a report, and which desk that is."""
    sent = NewReport.model_validate(report.body)
    judged = triage(sent)
    assert sent.point is not None, "every call has a place"
    role = pack.response(judged.category, judged.priority)[0].role
    area = area_of(report.about.battalion) if report.about.battalion != OUT_OF_TOWN else None
    desk = pack.desk_for(role, area)
    heard = Heard(
        report_id=report_id,
        received_at=report.at,
        category=judged.category,
        priority=judged.priority,
        text=sent.text,
        point=GeoPoint(lat=sent.point.lat, lon=sent.point.lon),
        place=Place(),
    )
    return heard, desk.code if desk else NOBODY


def _candidates(found: dict[str, Open], desk: str, at: datetime) -> Iterator[tuple[str, Heard]]:
    for incident_id, one in found.items():
        if one.desk == desk and one.until > at:
            yield from ((incident_id, heard) for heard in one.heard)


def _end(call: Incident) -> datetime:
    return max([call.received, *(sent.free for sent in call.sent if sent.free)])
