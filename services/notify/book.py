"""Agreements as the decider asks them: who may see this category in this area now, and until when."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from shared.contracts.agreement import AgreementEvent, AgreementWithdrawn, Terms
from shared.contracts.values import Place


def area_of(place: Place) -> str:
    """Return the most exact code known of `place`, "" when none is: 2, 4 or 6 digits."""
    return place.tambon or place.amphoe or place.province or ""


def _around(area: str) -> Iterator[str]:
    """Yield `area` and the areas that contain it."""
    return (area[:digits] for digits in (2, 4, 6) if digits <= len(area))


def effective(agreement: AgreementEvent, now: datetime) -> Terms | None:
    """Return the terms in effect at `now`: of several the highest version counts; none once withdrawn."""
    if isinstance(agreement, AgreementWithdrawn) and agreement.effective_at <= now:
        return None
    current = [t for t in agreement.terms if t.valid_from <= now < t.valid_until]
    return max(current, key=lambda terms: terms.version, default=None)


def covers(terms: Terms, category: str, area: str) -> bool:
    """Whether `terms` speak of incidents of `category` in `area`."""
    return category in terms.categories and any(code in terms.areas for code in _around(area))


def why_not(agreement: AgreementEvent, now: datetime) -> str:
    """Return in one word why `agreement` does not show what one of its versions speaks of."""
    if effective(agreement, now) is not None:
        return "changed"
    if isinstance(agreement, AgreementWithdrawn) and agreement.effective_at <= now:
        return "withdrawn"
    return "expired" if all(t.valid_until <= now for t in agreement.terms) else "not_in_effect"


def ends(agreement: AgreementEvent) -> datetime | None:
    """Return when the last of its terms runs out; None for one that is ended on purpose."""
    if isinstance(agreement, AgreementWithdrawn):
        return None
    return max(terms.valid_until for terms in agreement.terms)


def changes_after(agreement: AgreementEvent, now: datetime) -> Iterator[datetime]:
    """Yield, in no order, the instants after `now` at which `agreement` may come to mean something else."""
    for terms in agreement.terms:
        yield from (instant for instant in (terms.valid_from, terms.valid_until) if instant > now)
    if isinstance(agreement, AgreementWithdrawn) and agreement.effective_at > now:
        yield agreement.effective_at


class Book:
    """Every agreement there is, found by what it speaks of: a lookup costs nothing for those it does not."""

    def __init__(self, agreements: Iterable[AgreementEvent] = ()) -> None:
        self.by_id: Mapping[str, AgreementEvent] = {a.agreement_id: a for a in agreements}
        self._by_scope: dict[tuple[str, str], dict[str, AgreementEvent]] = {}
        self._by_agency: dict[str, list[AgreementEvent]] = {}
        for id_ in sorted(self.by_id):
            self._index(self.by_id[id_])

    def _index(self, agreement: AgreementEvent) -> None:
        self._by_agency.setdefault(agreement.agency, []).append(agreement)
        for terms in agreement.terms:
            for category in terms.categories:
                for area in terms.areas:
                    self._by_scope.setdefault((category, area), {})[agreement.agreement_id] = agreement

    @property
    def agencies(self) -> Mapping[str, list[AgreementEvent]]:
        """The agencies that have an agreement, whether it is in effect or not, with their agreements."""
        return self._by_agency

    def concerned(self, category: str, area: str) -> dict[str, list[AgreementEvent]]:
        """Return by agency the agreements of which some version speaks of `category` in `area`."""
        found: dict[str, AgreementEvent] = {}
        for code in _around(area):
            found |= self._by_scope.get((category, code), {})
        by_agency: dict[str, list[AgreementEvent]] = {}
        for id_ in sorted(found):
            by_agency.setdefault(found[id_].agency, []).append(found[id_])
        return by_agency


Grant = tuple[AgreementEvent, Terms]


def granting(agreements: Iterable[AgreementEvent], category: str, area: str, now: datetime) -> Grant | None:
    """Return the agreement, with its terms, that shows the most fields of such an incident at `now`."""
    grants = [
        (agreement, terms)
        for agreement in agreements
        if (terms := effective(agreement, now)) is not None and covers(terms, category, area)
    ]
    return max(grants, key=lambda grant: (len(set(grant[1].fields)), grant[0].agreement_id), default=None)
