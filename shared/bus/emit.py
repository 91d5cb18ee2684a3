"""What a handler may answer with: events to publish, facts to keep, timers to set. Ids come by themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from shared.contracts.event import Event, EventData
from shared.contracts.ids import derived_id, timer_id
from shared.contracts.kafka import Record, encode
from shared.contracts.topics import Topic

MAX_VALUE_BYTES = 1_000_000
"""What fits a topic with Kafka's default `max.message.bytes`, headers included."""


class TooLargeError(ValueError):
    """An answer no topic would take."""


@dataclass(slots=True)
class Emit:
    """Publish `data` on `topic`, keyed by the topic's key field, or by `key` where given.

    Consumers that answer the same event with the same type and subject name themselves in `answered_by`: the
    ids of their answers then differ.
    """

    topic: Topic
    data: EventData
    key: str | None = None
    answered_by: str = ""

    @property
    def routing_key(self) -> str:
        """The record's key, as text."""
        return self.topic.key_of(self.data) if self.key is None else self.key


@dataclass(frozen=True, slots=True)
class Keep:
    """Remember `data` in the state without publishing it. Only a decider may answer with this."""

    data: EventData


@dataclass(frozen=True, slots=True)
class Timer:
    """Wake the decider with a `TimerFired` at `due`, even if its process dies and nothing more comes in.

    Never before: decisions are made at whole milliseconds, so `due` becomes the first that is not too early.
    """

    subject: str
    kind: str
    due: datetime
    attempt: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "due", self.due + timedelta(microseconds=-self.due.microsecond % 1000))

    @property
    def id(self) -> str:
        """The id of the cause that its firing is; setting a timer with the same id again replaces it."""
        return timer_id(self.subject, self.kind, self.attempt)


@dataclass(frozen=True, slots=True)
class Cancel:
    """Forget the timer that was set with the same subject, kind and attempt; unknown ones are no error."""

    subject: str
    kind: str
    attempt: int = 1

    @property
    def id(self) -> str:
        """The id of the timer meant."""
        return timer_id(self.subject, self.kind, self.attempt)


Decision = Emit | Keep | Timer | Cancel


class TimerFired(EventData):
    """A timer's cause: what the decider is called with when one is due. Never on the bus."""

    type: ClassVar[str] = "th.ruamjai.timer.fired.v1"
    subject_field: ClassVar[str] = "about"

    about: str
    kind: str
    attempt: int
    due: datetime


class Encoder:
    """Turns what a cause brought about into records; the same cause and answers give the same bytes."""

    def __init__(self, service: str) -> None:
        self.source = f"/ruamjai/{service}"

    def records(self, cause: Event[Any], emits: Iterable[Emit]) -> list[Record]:
        """Return the records of `emits`, with ids derived from `cause` and its time and trace passed on.

        Raises TooLargeError.
        """
        time = cause.wire_time or cause.time
        return [self.record(cause, emit, ordinal, time) for ordinal, emit in enumerate(emits)]

    def record(self, cause: Event[Any], emit: Emit, ordinal: int, time: datetime | bytes) -> Record:
        """Return the record of the `ordinal`-th answer to `cause`, decided at `time`."""
        data = emit.data
        # U+0000 as between the other parts: no cause can have an id that looks like another's with a name
        origin = f"{cause.id}\0{emit.answered_by}" if emit.answered_by else cause.id
        record = encode(
            emit.topic.name,
            emit.routing_key,
            data,
            id=derived_id(origin, data.type, data.subject, ordinal),
            source=self.source,
            time=time,
            traceparent=cause.traceparent,
        )
        if record.value is not None and len(record.value) > MAX_VALUE_BYTES:
            raise TooLargeError(f"the answer on {record.topic} has {len(record.value)} bytes")
        return record
