"""What a service's own tests need: events to call a handler with, and a stage to rehearse a decider on.

Nothing here touches a broker, a store or the time of day.
"""

from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from shared.bus.answers import fired, translate
from shared.bus.commits import Decided
from shared.bus.decider import Decider, S
from shared.bus.emit import Emit, Encoder
from shared.bus.fold import Fold
from shared.clock import ManualClock
from shared.contracts.event import Event, EventData
from shared.contracts.ids import new_id

NOON = datetime(2026, 1, 1, 5, tzinfo=UTC)
T = TypeVar("T", bound=EventData)


def event_of(
    data: T,
    *,
    id: str | None = None,  # noqa: A002  (the CloudEvents word)
    time: datetime = NOON,
    traceparent: str | None = None,
) -> Event[T]:
    """Return `data` in an envelope, as a handler gets it."""
    return Event(id or new_id(), "/test", data.type, data.subject, time, traceparent, data)


class Rehearsal(Generic[S]):
    """A decider with its state and its timers, on a clock that the test moves."""

    def __init__(self, decider: Decider[S]) -> None:
        self.clock = ManualClock(NOON)
        self._decider = decider
        self._fold: Fold[S] = Fold(decider)
        self._encoder = Encoder("test")
        self._done: set[str] = set()

    def state(self, key: str) -> S:
        """Return the state of `key`."""
        return self._fold[key].state

    def tell(self, key: str, data: EventData, id: str | None = None) -> list[EventData]:  # noqa: A002
        """Let the decider answer `data` on `key`; return the bodies of the events it emits."""
        return self._answer(key, event_of(data, id=id, time=self.clock.now()))

    def advance(self, seconds: float) -> list[EventData]:
        """Move the clock on by `seconds`; return what the timers that come due emit."""
        self.clock.advance(seconds)
        due = self._fold.due(self.clock.now())
        told = []
        for key, timer in due:
            if self._fold.runs(timer.due, timer.id, key):  # one that fired before may have stopped it
                told += self._answer(key, fired(timer))
        return told

    def _answer(self, key: str, cause: Event[Any]) -> list[EventData]:
        now = datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC)  # as the kernel records it
        decisions = list(self._decider.decide(self.state(key), cause, now))
        answers = tuple(translate(self._encoder, cause, decisions, now, self._done))
        self._fold.apply(Decided(key, cause.id, answers))
        self._done.add(cause.id)
        return [decision.data for decision in decisions if isinstance(decision, Emit)]
