"""From records to what they came to: read, wait behind parked keys, answer, set poison aside."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from shared.bus.dead_letters import Poison, origin
from shared.bus.incoming import Incoming
from shared.bus.parking import Parking
from shared.bus.patience import Patience
from shared.bus.work import Item, Outcome, read
from shared.clock import Clock
from shared.contracts.event import EventData
from shared.store import Commit, GroupCommit, Store
from shared.telemetry import Metrics
from shared.telemetry.reasons import Reason

Source = Callable[[], Iterable[Item]]
"""Gives the causes of a slice, each time from the first. They are kept nowhere: what is held at once should
fit the CPU's caches."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where a processor works: its group, its partition, and what it shares with its worker."""

    group: str
    partition: int
    parking: Parking
    patience: Patience
    metrics: Metrics
    clock: Clock
    store: Store | None = None
    appends: GroupCommit[Commit] | None = None


class Processor(ABC):
    """One partition's way from causes to effects. Nothing it does is visible before its outcome goes out."""

    largest_slice = 100
    """Records that, with all that is made of them, fit the CPU's caches together."""
    waited = 0.0
    """Seconds spent waiting for the store so far: a smaller slice would not have saved them."""

    def __init__(self, place: Workplace, accepted: frozenset[type[EventData]]) -> None:
        self.place = place
        self._accepted = accepted

    async def open(self) -> Outcome:
        """Get ready for input; return what has to go out before the first record is taken.

        Called again after `close` when the partition comes back to this member.
        """
        await self.place.patience.until_done(self.place.parking.load)
        return Outcome()

    async def process(self, records: Sequence[Incoming]) -> Outcome:
        """Return what `records` came to, in order; waits as long as something outside is away.

        What the outcome parks must be saved after its dead letters are out, or a crash could keep one back.
        """
        return await self._answer(lambda: self._read(records))

    def _read(self, records: Sequence[Incoming]) -> Iterator[Item]:
        for record in records:
            item = read(record, self._accepted)
            if item is not None:
                if item.event is not None:
                    item.event.topic = origin(record, self.place.group)
                yield item

    def delivered(self, outcome: Outcome) -> None:  # noqa: B027  (most have nothing to note)
        """Called, in order, when everything of `outcome` is on the broker."""

    def seconds_to_timer(self) -> float | None:
        """Return the real seconds until `fire` is due, 0 when it is, None when no timer runs."""
        return None

    def timers(self) -> tuple[int, float]:
        """Return how many timers wait, and for how many of the clock's seconds the first has been due."""
        return 0, 0.0

    async def fire(self, behind: float = 0.0) -> Outcome:
        """Return what the timers that were due `behind` real seconds ago came to."""
        return Outcome()

    async def refresh(self) -> Outcome:
        """Return what has to go out because somebody else wrote to what this processor owns."""
        return Outcome()

    def housekeep(self) -> None:  # noqa: B027
        """Start, in the background, what is due between slices."""

    def abandon(self) -> None:  # noqa: B027
        """Let go of whatever still runs in the background; somebody else may own the partition by now."""

    async def close(self) -> None:  # noqa: B027
        """Leave things tidy for the next owner, or for the next `open`; everything sent is acknowledged."""

    @abstractmethod
    async def _answer(self, source: Source) -> Outcome:
        """Return what the causes of `source` came to, in order."""

    def _held(self, item: Item, outcome: Outcome) -> bool:
        """Park `item` if it has to wait; whether it had to."""
        parking = self.place.parking
        if not parking.closed or not parking.holds(item.record):
            return False
        assert item.record is not None
        outcome.parked += self.place.parking.park(item.record, Reason.PARKED_BEHIND)
        return True

    def _bury(self, item: Item, poison: Poison, outcome: Outcome) -> None:
        """Send the record of `item` to the DLQ and, where the consumer parks, close its key behind it."""
        assert item.record is not None
        outcome.bury(item.record, self.place.group, poison)
        outcome.parked += self.place.parking.park(item.record, poison.reason)
