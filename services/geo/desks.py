"""Which desk decides about a report, and which desks next door should hear of it."""

from collections.abc import Iterable
from functools import lru_cache

from services.geo.metrics import Outcome
from shared.contracts.values import Priority
from shared.pack import Pack

FALLBACK = "police"
"""The role that has a desk everywhere."""
MOST_NEIGHBOURS = 16
REMEMBERED = 65_536
"""Roles times areas: more than the whole country has for each of several roles."""


class Desks:
    """The desks of a pack by role and area."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._desk_of = lru_cache(REMEMBERED)(self._look_up)

    def home(self, category: str, priority: Priority, area: str) -> tuple[str, Outcome]:
        """Return the desk that decides about a report from `area`: that of the first role that goes to it."""
        if desk := self._desk_of(self._role(category, priority), area):
            return desk, Outcome.PLACED
        if desk := self._desk_of(FALLBACK, area):
            return desk, Outcome.FELL_BACK
        return self.triage, Outcome.NO_DESK

    def next_door(
        self, category: str, priority: Priority, areas: Iterable[str], home: str
    ) -> tuple[str, ...]:
        """Return the desks that would decide about the same report from `areas`, without `home` or triage."""
        found = {self.home(category, priority, area)[0] for area in areas} - {home, self.triage}
        return tuple(sorted(found)[:MOST_NEIGHBOURS])

    @property
    def triage(self) -> str:
        """The desk for what nobody else is there for."""
        return self._pack.triage_desk

    def _role(self, category: str, priority: Priority) -> str:
        return self._pack.response(category, priority)[0].role

    def _look_up(self, role: str, area: str) -> str | None:
        desk = self._pack.desk_for(role, area)
        return desk.code if desk else None
