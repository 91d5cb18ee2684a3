"""Whether a report is about an incident that is already open: a score, three bands, and a reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import exp

from services.dispatch.geometry import BLOCK_METRES, FAR_LATITUDE, metres
from services.dispatch.told import Told
from shared.contracts.values import UNKNOWN_CATEGORY, GeoPoint

BLOCK_MINUTES = 30.0
SCALE_METRES, SCALE_MINUTES = 150.0, 20.0
LINK, SUGGEST = 0.06, 0.02
VAGUE = (UNKNOWN_CATEGORY, "other")
SAME, VAGUELY_SAME, OTHER = 1.0, 0.6, 0.08
TEXT_UNKNOWN = 0.1
"""Likeness of texts of which one is empty: it speaks neither for nor against."""


class Band(StrEnum):
    """What to do with a report."""

    LINK = "link"
    SUGGEST = "suggest"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a report, about which incident, and why."""

    band: Band
    reason: str
    incident_id: str | None = None
    score: float = 0.0


def judge(report: Told, candidates: Iterable[tuple[str, Told]]) -> Verdict:
    """Return the verdict on `report`, given (incident id, earlier report) of the incidents that are open.

    Score: exp(-metres/150 - minutes/20) x agreement of categories x Jaccard of the texts' character
    3-grams, within 500 m and 30 minutes. Of equal scores the first counts.
    """
    found = [verdict for id_, other in candidates if (verdict := _compare(report, id_, other))]
    if not found:
        return Verdict(Band.NEW, "nothing is open within 500 m and 30 minutes")
    return max(found, key=lambda verdict: verdict.score)


def _compare(report: Told, incident_id: str, other: Told) -> Verdict | None:
    if report.point is None or other.point is None or _far(report.point, other.point):
        return None
    minutes = abs((report.received_at - other.received_at).total_seconds()) / 60
    if minutes > BLOCK_MINUTES:
        return None
    away = metres(report.point, other.point)
    if away > BLOCK_METRES:
        return None
    category, text = agreement(report.category, other.category), likeness(report.text, other.text)
    score = exp(-away / SCALE_METRES - minutes / SCALE_MINUTES) * category * text
    band = Band.LINK if score >= LINK else Band.SUGGEST if score >= SUGGEST else Band.NEW
    reason = f"{away:.0f} m, {minutes:.0f} min, category {category:g}, text {text:.2f}: {score:.3f}, {band}"
    return Verdict(band, reason, incident_id, score)


def _far(one: GeoPoint, other: GeoPoint) -> bool:
    return abs(one.lat - other.lat) > FAR_LATITUDE


def agreement(one: str, other: str) -> float:
    """Return how well two categories agree, 0 to 1."""
    if one == other:
        return SAME
    return VAGUELY_SAME if one in VAGUE or other in VAGUE else OTHER


def likeness(one: str, other: str) -> float:
    """Return the Jaccard index of the texts' character 3-grams, blanks apart; 0.1 where one has none."""
    a, b = _grams(one), _grams(other)
    if not a or not b:
        return TEXT_UNKNOWN
    return len(a & b) / len(a | b)


@lru_cache(maxsize=2_000)
def _grams(text: str) -> frozenset[str]:
    plain = "".join(text.casefold().split())
    return frozenset(plain[at : at + 3] for at in range(len(plain) - 2))
