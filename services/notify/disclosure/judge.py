"""Whether an agency may read the sealed block of a report: a pure decision with its reason."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from services.notify.book import Book, covers, effective, why_not
from services.notify.fields import SEALED
from shared.contracts.event import Status
from shared.contracts.values import Code, Id


class Known(BaseModel):
    """What must be known of an incident: its newest event's `seq`, and what agreements speak of."""

    seq: int
    status: Status
    category: Code
    area: str
    reports: tuple[Id, ...]


@dataclass(frozen=True, slots=True)
class Ruling:
    """Granted unless there is a `reason` against it; the agreement is the one that was judged by."""

    reason: str | None = None
    agreement_id: str | None = None
    version: int | None = None


def rule(book: Book, agency: str, known: Known | None, report_id: str, now: datetime) -> Ruling:
    """Return whether `agency` may read what is sealed in `report_id`, a report of the incident `known`."""
    if known is None:
        return Ruling("unknown_incident")
    ruling = _by_agreement(book, agency, known, now)
    if ruling.reason is not None:
        return ruling
    if known.status is not Status.ACTUAL:
        return Ruling(known.status.value, ruling.agreement_id, ruling.version)
    if report_id not in known.reports:
        return Ruling("not_linked", ruling.agreement_id, ruling.version)
    return ruling


def _by_agreement(book: Book, agency: str, known: Known, now: datetime) -> Ruling:
    """Return the best that one of its agreements says: granted, else not granted, else why none counts."""
    found = Ruling("no_agreement")
    for agreement in book.concerned(known.category, known.area).get(agency, ()):
        id_, terms = agreement.agreement_id, effective(agreement, now)
        if terms is None or not covers(terms, known.category, known.area):
            if found.reason == "no_agreement":
                found = Ruling(why_not(agreement, now), id_)
        elif SEALED in terms.fields:
            return Ruling(None, id_, terms.version)
        else:
            found = Ruling("not_granted", id_, terms.version)
    return found
