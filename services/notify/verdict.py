"""The decision about one event and one agency, with its reason; pure: agreements, view and time go in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.notify.audience import Audience, Standing, digest
from services.notify.book import Book, Grant, area_of, effective, granting, why_not
from services.notify.fields import GENERIC, happened, share
from shared.contracts.agency import IncidentShared, Presence, SharedView
from shared.contracts.agreement import AgreementEvent
from shared.contracts.delivery import WithheldField
from shared.contracts.event import Status
from shared.contracts.incident import IncidentEvent


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one agency gets of one event: `shared`, or nothing for `reason`."""

    agency: str
    agreement_id: str
    version: int
    shared: IncidentShared | None = None
    reason: str | None = None
    withheld: tuple[WithheldField, ...] = ()

    def instead(self, reason: str) -> "Verdict":
        """Return the verdict that nothing is shared after all, for `reason`."""
        return Verdict(self.agency, self.agreement_id, self.version, reason=reason)


def on_event(book: Book, audience: Audience, event: IncidentEvent, now: datetime) -> list[Verdict]:
    """Return a verdict for every agency in scope of `event`, and for those that leave it, sorted by code."""
    category, area = event.view.category, area_of(event.view.place)
    concerned = book.concerned(category, area)
    verdicts: list[Verdict] = []
    for agency in sorted({*concerned, *audience.inside}):
        standing, agreements = audience.agencies.get(agency), concerned.get(agency, [])
        grant = granting(agreements, category, area, now)
        verdicts += _one(event, agency, standing, agreements, grant, now)
    return verdicts


def _one(
    event: IncidentEvent,
    agency: str,
    standing: Standing | None,
    agreements: Sequence[AgreementEvent],
    grant: Grant | None,
    now: datetime,
) -> Iterator[Verdict]:
    if grant is not None:
        yield _status(event, agency, grant) or _shown(event, agency, standing, grant)
    elif standing is not None and standing.inside:
        why = why_not(agreements[0], now) if agreements else None
        yield leave(event.incident_id, agency, standing, f"agreement.{why}" if why else "scope.left")
    elif agreements:
        newest = effective(agreements[0], now) or max(agreements[0].terms, key=lambda terms: terms.version)
        reason = why_not(agreements[0], now)
        yield Verdict(agency, agreements[0].agreement_id, newest.version, reason=reason)


def _status(event: IncidentEvent, agency: str, grant: Grant) -> Verdict | None:
    """Return the verdict on what is only an exercise or a test: it reaches nobody outside."""
    if event.status is Status.ACTUAL:
        return None
    return Verdict(agency, grant[0].agreement_id, grant[1].version, reason=event.status.value)


def _shown(event: IncidentEvent, agency: str, standing: Standing | None, grant: Grant) -> Verdict:
    agreement, terms = grant
    fields, withheld = share(event.view, terms.fields)
    view, kind = SharedView(**fields), happened(event.type, terms.fields)
    entered = standing is None or not standing.inside
    if standing is not None and not entered and kind == GENERIC and digest(view) == standing.digest:
        return Verdict(agency, agreement.agreement_id, terms.version, reason="nothing_visible")
    new = [name for name, value in fields.items() if value is not None]
    names = new if entered else [name for name in event.changed if name in fields]
    shared = IncidentShared(
        agency=agency,
        incident_id=event.incident_id,
        seq=1 if standing is None else standing.seq + 1,
        presence=Presence.ENTERED if entered else Presence.UPDATED,
        happened=kind,
        changed=tuple(names),
        view=view,
        agreement_id=agreement.agreement_id,
        agreement_version=terms.version,
    )
    return Verdict(agency, agreement.agreement_id, terms.version, shared, withheld=withheld)


def leave(incident_id: str, agency: str, standing: Standing, kind: str) -> Verdict:
    """Return the last word to an agency about an incident it sees no more: that, and nothing of the view."""
    shared = IncidentShared(
        agency=agency,
        incident_id=incident_id,
        seq=standing.seq + 1,
        presence=Presence.LEFT,
        happened=kind,
        agreement_id=standing.agreement_id,
        agreement_version=standing.agreement_version,
    )
    return Verdict(agency, standing.agreement_id, standing.agreement_version, shared)


def on_review(book: Book, audience: Audience, incident_id: str, now: datetime) -> list[Verdict]:
    """Return a verdict for every agency whose agreement has meanwhile ceased to show the incident."""
    verdicts = []
    for agency in sorted(audience.inside):
        agreements = book.agencies.get(agency, [])
        if granting(agreements, audience.category, audience.area, now) is None:
            standing = audience.agencies[agency]
            agreement = book.by_id.get(standing.agreement_id)
            why = "withdrawn" if agreement is None else why_not(agreement, now)
            verdicts.append(leave(incident_id, agency, standing, f"agreement.{why}"))
    return verdicts
