"""What a consumer is declared to be, before anything runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from shared.bus.processor import Processor, Workplace
from shared.bus.turnstile import Hurry
from shared.contracts.topics import Topic, replay_of

DLQ_LIMIT = 100
DLQ_WINDOW = 60.0
SOON = 0.1
"""Who lets records gather for so many seconds or more is waited for by nobody."""

OnPoison = Literal["skip", "park"]
MakeProcessor = Callable[[Workplace], Processor]


@dataclass(frozen=True, slots=True)
class Subscription:
    """One consumer group over all of its topics.

    `on_poison`: `skip` goes on with the next record of a key, `park` keeps the later ones back, in order,
    until the poison is replayed. `dlq_limit` dead letters of one topic within `dlq_window` seconds (counted
    per process, overshot by at most one slice) pause an outsiders' topic and stop the consumer for one of
    ours. Records may `gather` at the brokers for so many seconds of the clock before they are fetched.
    """

    group: str
    handler: str
    topics: tuple[Topic, ...]
    make: MakeProcessor
    stateful: bool = False
    on_poison: OnPoison = "skip"
    dlq_limit: int = DLQ_LIMIT
    dlq_window: float = DLQ_WINDOW
    gather: float = 0.0

    @property
    def names(self) -> list[str]:
        """The topics to subscribe to, the group's own replay topic included."""
        return [*(t.name for t in self.topics), replay_of(self.group)]

    @property
    def needed(self) -> set[str]:
        """The topics without which the consumer would come to a stop, its dead-letter topics included."""
        return {*self.names, *(t.dlq(self.group) for t in self.topics)}

    @property
    def whole(self) -> bool:
        """Whether a partition number must be owned whole, over all topics: state and parked keys go by it."""
        return self.stateful or self.on_poison == "park"

    def urgent(self, topic: str) -> bool:
        """Whether `topic` is emptied first; replays are, being few and waited for."""
        return topic == replay_of(self.group) or any(t.urgent for t in self.topics if t.name == topic)

    def hurry(self, topic: str) -> Hurry:
        """Return when `topic` goes before the other work of its process."""
        if self.gather >= SOON:
            return Hurry.NOBODY_WAITS
        vital = any(t.vital for t in self.topics if t.name == topic)
        return Hurry.VITAL if vital else Hurry.WAITED_FOR

    def begins(self, topic: str) -> bool:
        """Whether `topic` only starts what other inputs then go on with."""
        return any(t.urgent for t in self.topics) and not self.urgent(topic)

    def overtaking(self, topic: str) -> bytes | None:
        """Return what marks the records of `topic` that may overtake.

        None may where nobody waits for them, or where one that comes again could close a key once more.
        """
        if self.gather >= SOON or self.on_poison == "park":
            return None
        return next((t.overtaking for t in self.topics if t.name == topic), None)

    def outsiders(self, topic: str) -> bool:
        """Whether somebody outside the platform writes `topic`."""
        return any(t.outsiders for t in self.topics if t.name == topic)
