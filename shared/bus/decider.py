"""The stateful way: a decider answers causes from the state of their key, and the state folds its answers.

Pattern: Jérémie Chassaing's functional decider (decide, evolve, initial state). `decide` is called once for a
cause that counts; whatever it answered is committed before anything leaves. `evolve` is called for every
answer, then and whenever the state is built again, so it must depend on its arguments alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel

from shared.bus.emit import Decision
from shared.contracts.event import Event, EventData

S = TypeVar("S", bound=BaseModel)


class Decider(ABC, Generic[S]):
    """What a stateful service writes. One state per record key, such as a desk's."""

    state: type[S]
    """The state's model; `state()` is what a key starts with, and a key back at it costs nothing."""
    rest: ClassVar[timedelta | None] = None
    """For how long a key that rests is kept: then it is as if it had never been. None: no key rests."""

    @abstractmethod
    def decide(self, state: S, event: Event[Any], now: datetime) -> Iterable[Decision]:
        """Return what follows from `event`, at `now` (UTC, recorded in the commit), without changing `state`.

        May raise Retry to be asked again later. Anything else raised makes the event poison: it goes to the
        DLQ and leaves no trace in the state. A `TimerFired` comes here like any other event.
        """

    @abstractmethod
    def evolve(self, state: S, fact: EventData) -> S:
        """Return the state after `fact` (the body of an Emit or a Keep). May change `state` and return it."""

    def rests(self, state: S) -> bool:
        """Whether a key in `state` is over, so that it may wait in the store instead of in memory.

        Its timers wait with it: they do not fire before something else wakes it.
        """
        del state
        return False

    def begins(self, event: Event[Any]) -> bool:
        """Whether `event` is the first its key ever sees: for any other the store is asked what rests."""
        del event
        return False
