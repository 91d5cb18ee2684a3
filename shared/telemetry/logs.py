"""Structured logs: one JSON object a line on standard output, tied to a trace and an incident.

Nothing here turns a record, an event or a model into text; log ids and counts, never bodies.
"""

import json
import logging
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from pathlib import PurePath
from typing import Any, NamedTuple, Protocol, TextIO
from uuid import UUID

from shared.telemetry.exceptions import described

# Below this level these libraries tell every fetch, or quote whole commands.
_QUIET = {
    "aiokafka": logging.WARNING,
    "aiokafka.cluster": logging.CRITICAL,  # ten lines a second about a topic that our own line names once
    "pymongo": logging.WARNING,
    "urllib3": logging.WARNING,
}
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class LogContext(NamedTuple):
    """What every line logged meanwhile is about; empty text means nothing in particular."""

    trace_id: str = ""
    incident_id: str = ""


_NOTHING = LogContext()
log_context: ContextVar[LogContext] = ContextVar("log_context", default=_NOTHING)


class Cause(Protocol):
    """An event, as far as a log line has to know it."""

    @property
    def traceparent(self) -> str | None: ...
    @property
    def data(self) -> object: ...


log_cause: ContextVar[Cause | None] = ContextVar("log_cause", default=None)
"""The event that is being handled. Its ids are read only when a line is written, so setting it is cheap."""


def _ids() -> dict[str, str]:
    ids, cause = log_context.get()._asdict(), log_cause.get()
    if cause is not None:
        ids["trace_id"] = ids["trace_id"] or (cause.traceparent or "")[3:35]
        ids["incident_id"] = ids["incident_id"] or str(getattr(cause.data, "incident_id", ""))
    return {name: value for name, value in ids.items() if value}


@contextmanager
def log_about(*, trace_id: str = "", incident_id: str = "") -> Iterator[None]:
    """Ties lines logged inside the block, and by tasks started there, to these ids; nests."""
    outer = log_context.get()
    token = log_context.set(LogContext(trace_id or outer.trace_id, incident_id or outer.incident_id))
    try:
        yield
    finally:
        log_context.reset(token)


def configure_logging(service: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Sends all logging of this process to `stream` (default: standard output) as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(max(quiet, root.level))


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON; the standard fields win over `extra` ones of the same name."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        line = json.dumps(_plain(extra | self._fields(record)), ensure_ascii=False)
        # A lone surrogate (a header that was not UTF-8) cannot be written as it is.
        return line.encode("utf-8", "backslashreplace").decode("utf-8")

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, Any] = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= _ids()
        if record.exc_info and record.exc_info[1]:
            fields["exception"] = described(record.exc_info[1])
        return fields


def _plain(value: object) -> object:
    """JSON values stay; ids and times become text; anything else only says what type it is."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value]
        case date() | UUID() | PurePath():
            return str(value)
        case bytes():
            return f"<{len(value)} bytes>"
        case _:
            return f"<{type(value).__qualname__}>"
