"""One partition of the tally service without a broker: what a worker does with a stateful processor."""

from collections.abc import Iterable

from shared.bus.accepted import accepted_by
from shared.bus.emit import Encoder
from shared.bus.incoming import Incoming
from shared.bus.journal import Journal
from shared.bus.processor import Workplace
from shared.bus.stateful import Stateful
from shared.bus.work import Outcome
from shared.clock import ManualClock
from shared.contracts import Record
from shared.store import Store
from shared.telemetry import Metrics
from tests.bus.support import NOW, consumed, header, workplace
from tests.bus.tally import Sum, Tally

STREAM = "tester/0"


class Desk:
    """A loaded processor, the store and the clock it works with, and what went out."""

    def __init__(self, store: Store, clock: ManualClock, tally: Tally, place: Workplace) -> None:
        self.store, self.clock, self.tally, self.place = store, clock, tally, place
        assert place.appends is not None
        self.journal: Journal[Sum] = Journal(store, place.appends, STREAM, tally)
        accepted = accepted_by(tally.decide, 1)
        self.stateful = Stateful(place, accepted, tally, self.journal, Encoder("tester"))
        self.out: list[Record] = []

    @property
    def metrics(self) -> Metrics:
        """What it counted."""
        return self.place.metrics

    async def open(self) -> "Desk":
        """Become the owner, and publish what the last one may not have."""
        self.deliver(await self.stateful.open())
        return self

    async def take(self, *records: Record | Incoming, deliver: bool = True) -> Outcome:
        """Process one slice."""
        slice_ = [consumed(r, n) if isinstance(r, Record) else r for n, r in enumerate(records)]
        outcome = await self.stateful.process(slice_)
        return self.deliver(outcome) if deliver else outcome

    async def pass_time(self, seconds: float) -> Outcome:
        """Let time pass and timers fire."""
        self.clock.advance(seconds)
        return self.deliver(await self.stateful.fire())

    async def housekeep(self) -> None:
        """Save what is due to be saved, to the end."""
        self.stateful.housekeep()
        if self.stateful._saving is not None:
            await self.stateful._saving

    def deliver(self, outcome: Outcome) -> Outcome:
        """Let everything of `outcome` be on the broker."""
        self.out += outcome.records
        self.stateful.delivered(outcome)
        return outcome

    def state(self, key: str = "d1") -> Sum:
        """The state of a key."""
        return self.journal.fold[key].state

    async def restart(self) -> "Desk":
        """A new process over the same store, after a crash."""
        return await new_desk(self.store, self.clock, tally=type(self.tally)())


async def new_desk(
    store: Store, clock: ManualClock | None = None, *, parks: bool = False, tally: Tally | None = None
) -> Desk:
    """An owner of the stream in `store`."""
    clock = clock or ManualClock(NOW)
    return await Desk(store, clock, tally or Tally(), workplace(store, clock, parks=parks)).open()


def ids(records: Iterable[Record]) -> list[bytes | None]:
    """Their `ce_id`s."""
    return [header(record, "ce_id") for record in records]
