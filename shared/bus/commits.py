"""What a commit says: for each cause, its key and the answers to it. Written once, read for ever.

A body is JSON, zlib-compressed, so that it can be inspected with any tool. What was emitted is stored as it
went out: publishing it again after an upgrade must give the same bytes.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json, to_json

from shared.bus.emit import Timer
from shared.contracts.event import REGISTRY, EventData
from shared.contracts.kafka import Record, dump

LEVEL = 1


@dataclass(slots=True)
class Emitted:
    """An event of the commit, as the record that goes out. Treat it as frozen."""

    record: Record
    data: EventData


@dataclass(frozen=True, slots=True)
class Kept:
    """A fact that only the state knows."""

    data: EventData


@dataclass(frozen=True, slots=True)
class TimerSet:
    """A timer that runs from this commit on."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class TimerCancelled:
    """A timer, by its id, that no longer runs."""

    id: str


Answer = Emitted | Kept | TimerSet | TimerCancelled


@dataclass(slots=True)
class Decided:
    """One cause's part of a commit. Treat it as frozen."""

    key: str
    cause: str
    answers: tuple[Answer, ...]


def encode_body(parts: Sequence[bytes]) -> bytes:
    """Return the body of a commit from its encoded parts."""
    return zlib.compress(b"[%b]" % b",".join(parts), LEVEL)


def encode_decided(decided: Decided) -> bytes:
    """Return one cause's part as JSON; its length bounds what it adds to a body."""
    answers = b",".join(map(_encode, decided.answers))
    return b'{"key":%b,"cause":%b,"answers":[%b]}' % (to_json(decided.key), to_json(decided.cause), answers)


def decode_body(body: bytes) -> Iterator[Decided]:
    """Yield the parts of a commit's body in the order they were decided."""
    for part in from_json(zlib.decompress(body)):
        yield Decided(part["key"], part["cause"], tuple(map(_decode, part["answers"])))


def _encode(answer: Answer) -> bytes:
    match answer:
        case Emitted(record):
            head = to_json((record.topic, _text(record.key), {n: _text(v) for n, v in record.headers}))
            return b'{"emit":%b,"data":%b}' % (head, record.value or b"null")
        case Kept(data):
            return b'{"keep":%b,"data":%b}' % (to_json(data.type), dump(data))
        case TimerSet(timer):
            return b'{"timer":%b}' % timer_json(timer)
        case TimerCancelled(id_):
            return b'{"cancel":%b}' % to_json(id_)


def _decode(answer: dict[str, Any]) -> Answer:
    match answer:
        case {"emit": [topic, key, headers], "data": data}:
            value = to_json(data)
            wire: list[tuple[str, bytes | None]] = [(name, text.encode()) for name, text in headers.items()]
            return Emitted(Record(topic, key.encode(), value, wire), _fact(headers["ce_type"], value))
        case {"keep": event_type, "data": data}:
            return Kept(_fact(event_type, to_json(data)))
        case {"timer": fields}:
            return TimerSet(timer_from(fields))
        case {"cancel": id_}:
            return TimerCancelled(id_)
    raise ValueError(f"a commit has an answer this release does not know: {sorted(answer)}")


def timer_json(timer: Timer) -> bytes:
    """Return a timer as JSON; its due instant is epoch milliseconds."""
    return to_json((timer.subject, timer.kind, timer.attempt, round(timer.due.timestamp() * 1000)))


def timer_from(fields: Sequence[Any]) -> Timer:
    """Return the timer `timer_json` wrote."""
    subject, kind, attempt, due = fields
    return Timer(subject, kind, datetime.fromtimestamp(due / 1000, UTC), attempt)


def _fact(event_type: str, value: bytes) -> EventData:
    model = REGISTRY.get(event_type)
    if model is None:
        raise ValueError(f"a commit holds an event of type {event_type!r}, which this release does not know")
    return model.model_validate_json(value)


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode()
