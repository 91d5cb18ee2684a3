"""Poison, set aside as it came: original bytes, key and headers, and beside them whence and why."""

import base64
from collections import deque
from dataclasses import dataclass

from pydantic_core import to_json

from shared.bus.incoming import Incoming
from shared.contracts.kafka import Record
from shared.contracts.topics import dlq_of, replay_of
from shared.telemetry.reasons import Reason

PREFIX = "dlq_"
DETAIL_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Poison:
    """Why a record cannot be processed, in a word of the closed list and in a sentence."""

    reason: Reason
    detail: str


def dead_letter(record: Incoming, group: str, poison: Poison) -> Record:
    """Return the dead letter of `record` for `group`, for the same partition number of the DLQ topic.

    Header names that are not UTF-8 cannot be written by aiokafka; then `dlq_headers` carries all of the
    original headers as a JSON list of [name, value] in base64, and only the writable ones are repeated.
    """
    why = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "timestamp": str(record.timestamp),
        **_first_place(record, group),
        "group": group,
        "reason": poison.reason.value,
        "detail": poison.detail[:DETAIL_BYTES],
    }
    said = {PREFIX + name: text.encode("utf-8", "backslashreplace") for name, text in why.items()}
    stale = said.keys() if record.topic == replay_of(group) else ()
    headers = [(name, value) for name, value in record.headers if _is_utf8(name) and name not in stale]
    headers += said.items()
    if not all(_is_utf8(name) for name, _ in record.headers):
        headers.append((PREFIX + "headers", _all_headers(record)))
    return Record(dlq_of(why["topic"], group), record.key, record.value, headers, partition=record.partition)


def _is_utf8(name: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in name)


def _all_headers(record: Incoming) -> bytes:
    raw = ((name.encode("utf-8", "surrogateescape"), value or b"") for name, value in record.headers)
    return to_json([[base64.b64encode(part).decode() for part in header] for header in raw])


class Budget:
    """How many dead letters an input topic may cause: `limit` within `window` seconds, then it is enough."""

    def __init__(self, limit: int, window: float) -> None:
        self.limit, self.window = limit, window
        self._times: deque[float] = deque()

    def spend(self, count: int, now: float) -> bool:
        """Count `count` dead letters at `now`; return whether the budget is overdrawn."""
        self._times.extend([now] * count)
        while self._times and self._times[0] <= now - self.window:
            self._times.popleft()
        return len(self._times) > self.limit

    def reset(self) -> None:
        """Start a new window."""
        self._times.clear()


def origin(record: Incoming, group: str) -> str:
    """Return the topic `group` first read a record from; a replayed one is on another now."""
    return _first_place(record, group).get("topic", record.topic)


def _first_place(record: Incoming, group: str) -> dict[str, str]:
    """Return where a replayed record was first; nothing for another, whatever its sender says about that."""
    if record.topic != replay_of(group):
        return {}
    found = {name: value for name, value in record.headers if value is not None}
    names = (name for name in ("topic", "partition", "offset", "timestamp") if PREFIX + name in found)
    return {name: found[PREFIX + name].decode("utf-8", "replace") for name in names}
