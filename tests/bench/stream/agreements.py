"""Decisions a second as more and more agencies sign agreements that do not speak of the incident."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from services.notify.audience import Audience
from services.notify.book import Book
from services.notify.verdict import on_event
from shared.contracts import IncidentOpened
from shared.contracts.agreement import AgreementPublished, Terms
from shared.contracts.values import GeoPoint, Place, Priority
from shared.contracts.view import IncidentView, Lifecycle, ReportLink
from tests.bench.tables import Row

AGENCIES = (10, 100, 1_000)
CONCERNED = 3
SECONDS = 1.5
NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)


def measure_agreements(scale: float) -> dict[str, Sequence[Row]]:
    """Return decisions a second by number of agencies, of which three are concerned, and where all are."""
    rows = [_row(count, CONCERNED, scale) for count in AGENCIES]
    rows += [_row(count, count, scale) for count in AGENCIES[:2]]
    return {"stream: agreements": rows}


def _row(agencies: int, concerned: int, scale: float) -> Row:
    book = Book(_agreement(n, "670101" if n < concerned else f"{10 + n % 50}") for n in range(agencies))
    event, audience, count = _event(), Audience(), 0
    begun = time.perf_counter()
    while (took := time.perf_counter() - begun) < SECONDS * scale:
        verdicts = on_event(book, audience, event, NOON)
        count += 1
    assert len(verdicts) == concerned
    return {
        "agencies": agencies,
        "concerned": concerned,
        "decisions/s": f"{count / took:,.0f}",
        "verdicts/s": f"{count * concerned / took:,.0f}",
    }


def _agreement(number: int, area: str) -> AgreementPublished:
    terms = Terms(
        version=1,
        categories=("road_accident", "brawl", "fire"),
        areas=(area,),
        fields=("lifecycle", "category", "priority", "text", "point", "place", "reports", "tasks"),
        valid_from=NOON - timedelta(days=1),
        valid_until=NOON + timedelta(days=365),
    )
    code, id_ = f"agency-{number}", f"mou-{number}"
    return AgreementPublished(agreement_id=id_, agency=code, parties=(code, "police"), terms=(terms,))


def _event() -> IncidentOpened:
    view = IncidentView(
        desk="police-6701",
        lifecycle=Lifecycle.RECEIVED,
        category="road_accident",
        priority=Priority.P2,
        text="รถชนกันกลางสี่แยก มีคนเจ็บ",
        point=GeoPoint(lat=16.418807, lon=101.156258),
        place=Place(tambon="670101", amphoe="6701", province="67"),
        opened_at=NOON,
        report_count=1,
        reports=(ReportLink(report_id="r", linked_at=NOON),),
    )
    return IncidentOpened(incident_id="i", seq=1, view=view)
