"""What a worker has in hand: the causes of one slice, and what they came to."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.bus.dead_letters import Poison, dead_letter, origin
from shared.bus.incoming import Incoming
from shared.contracts.event import Event, EventData
from shared.contracts.kafka import ContractError, Record, decode
from shared.store import Parked
from shared.telemetry.reasons import Reason


@dataclass(slots=True)
class Item:
    """One cause. `event` is None when it is poison already; `record` is None when it is a timer."""

    key: str | None
    event: Event[Any] | None
    record: Incoming | None = None
    poison: Poison | None = None

    @property
    def seen(self) -> tuple[str, datetime] | None:
        """The topic and the time of the event, where it came from a topic."""
        return (self.record.topic, self.event.time) if self.record and self.event else None


@dataclass(slots=True)
class Outcome:
    """What a slice came to. Its offsets may be committed when `records` are acknowledged."""

    records: list[Record] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    dead: Counter[tuple[str, Reason]] = field(default_factory=Counter)
    """Dead letters by input topic and reason."""
    first: tuple[str, datetime] | None = None
    """Topic and time of the first event: a sample of the slice's age."""
    buried: list[Incoming] = field(default_factory=list)
    published_n: int = 0
    """The commit whose events are all out when `records` are acknowledged; 0 without a log."""

    def bury(self, record: Incoming, group: str, poison: Poison) -> None:
        """Add the dead letter of `record`."""
        letter = dead_letter(record, group, poison)
        self.records.append(letter)
        self.dead[origin(record, group), poison.reason] += 1
        self.buried.append(record)


def read(record: Incoming, accepted: frozenset[type[EventData]]) -> Item | None:
    """Return the cause a record is, or None when its type is known but not for this handler."""
    key = record.key
    try:
        event = decode(record.value, record.headers)
        text = None if key is None else key.decode()
    except ContractError as error:
        return Item(None, None, record, Poison(Reason(error.reason), error.detail))
    except UnicodeDecodeError:
        return Item(None, None, record, Poison(Reason.MISSING_KEY, "the key is not UTF-8 text"))
    if type(event.data) not in accepted:
        return None
    if text is not None and "\0" in text:  # SQLite's JSON would end it there
        return Item(None, None, record, Poison(Reason.MISSING_KEY, "the key has U+0000"))
    return Item(text, event, record)
