"""Which agencies have a topic to be told on: an event for one that is missing would hold up everybody's."""

import logging
import time
from collections.abc import Callable, Collection

from shared.bus import Retry
from shared.contracts.topics import agency_incidents

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
SETTLE_SECONDS = 2.0
"""How long a topic must stay away to be believed missing: brokers learn of new topics one after the other."""


class Outlets:
    """The agencies' topics as this replica last saw them."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._there: Collection[str] = ()
        self._missed: dict[str, float] = {}
        """Topics that were asked for and not there, with the instant of the first time."""
        self._logged: set[str] = set()
        self._looked_at = float("-inf")

    @property
    def due(self) -> bool:
        """Whether it is time to look again: at once where somebody waits for the answer."""
        waited_for = any(not self._settled(name) for name in self._missed)
        return waited_for or self._monotonic() - self._looked_at >= LOOK_SECONDS

    def note(self, topics: Collection[str]) -> None:
        """Note which topics there are now."""
        self._there, self._looked_at = topics, self._monotonic()
        self._missed = {name: since for name, since in self._missed.items() if name not in topics}
        missing = {name for name in self._missed if self._settled(name)}
        for name in sorted(missing - self._logged):
            log.error("an agency's topic is missing: nothing is shared with it", extra={"topic": name})
        self._logged = missing

    def saw(self, agency: str) -> bool:
        """Whether the topic of `agency` was there at the last look."""
        return agency_incidents(agency).name in self._there

    def has(self, agency: str) -> bool:
        """Whether `agency` has its topic. Raises Retry while that is not certain."""
        if self.saw(agency):
            return True
        name = agency_incidents(agency).name
        self._missed.setdefault(name, self._monotonic())
        if not self._settled(name):
            raise Retry(f"{name} is not there, or not yet")
        return False

    def _settled(self, name: str) -> bool:
        return self._looked_at >= self._missed[name] + SETTLE_SECONDS
