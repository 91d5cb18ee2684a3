"""The agreements as they were signed: who may be told what at which instant. Nothing here is notify's."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

BLURRED = "point_blurred"
BLUR_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of an agency's only agreement; `until` is exclusive."""

    agency: str
    version: int
    categories: tuple[str, ...]
    areas: tuple[str, ...]
    fields: tuple[str, ...]
    since: datetime
    until: datetime

    def covers(self, category: str, codes: Collection[str]) -> bool:
        """Whether it speaks of incidents of `category` at the place with these codes."""
        return category in self.categories and not set(self.areas).isdisjoint(codes)

    def beyond(self, view: dict[str, Any]) -> list[str]:
        """Return the fields of a shared view that were not granted, or not as exactly."""
        allowed = {*self.fields, *(["point"] if BLURRED in self.fields else [])}
        extra = [name for name, value in view.items() if value is not None and name not in allowed]
        point = view.get("point")
        if point and "point" not in self.fields and _exact(point):
            extra.append("exact point")
        return extra


def _exact(point: dict[str, float]) -> bool:
    return any(round(value, BLUR_DECIMALS) != value for value in point.values())


class Signed:
    """Every version of every agreement, as it was in force."""

    def __init__(self, terms: Iterable[Terms] = ()) -> None:
        self.terms = list(terms)

    def add(self, terms: Terms) -> None:
        """Note a new version: the one before it ends when it begins."""
        self.terms = [
            t if t.agency != terms.agency or t.until <= terms.since else _ended(t, terms.since)
            for t in self.terms
        ]
        self.terms.append(terms)

    def of(self, agency: str) -> list[Terms]:
        """Return an agency's versions, oldest first."""
        return [terms for terms in self.terms if terms.agency == agency]

    def in_force(self, agency: str, at: datetime) -> Terms | None:
        """Return what counted at `at`."""
        return next((t for t in self.of(agency) if t.since <= at < t.until), None)

    def concerned(self, category: str, codes: Collection[str]) -> set[str]:
        """Return the agencies of whose agreement some version speaks of such an incident."""
        return {terms.agency for terms in self.terms if terms.covers(category, codes)}


def _ended(terms: Terms, at: datetime) -> Terms:
    return Terms(
        terms.agency, terms.version, terms.categories, terms.areas, terms.fields, terms.since, at
    )  # fmt: skip
