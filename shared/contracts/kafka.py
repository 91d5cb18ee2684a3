"""The CloudEvents Kafka binding, both ways: binary mode is written, binary and structured mode are read.

Source: CloudEvents Kafka protocol binding 1.0.3, sections 3.2 (binary) and 3.3 (structured).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from shared.contracts.event import LONGEST, REGISTRY, TRACEPARENT, TYPE_PREFIX, Envelope, Event, EventData

Header = tuple[str, bytes | None]
CONTENT_TYPE = "content-type"
JSON = b"application/json"
STRUCTURED = b"application/cloudevents"
STRUCTURED_JSON = b"application/cloudevents+json"
_ATTRIBUTE_OF = {
    "ce_specversion": "specversion",
    "ce_id": "id",
    "ce_source": "source",
    "ce_type": "type",
    "ce_subject": "subject",
    "ce_time": "time",
    "ce_traceparent": "traceparent",
    "traceparent": "traceparent",
}
_SPECVERSION = ("ce_specversion", b"1.0")
_JSON_BODY = (CONTENT_TYPE, JSON)
_OURS = re.compile(re.escape(TYPE_PREFIX) + r"[a-z0-9_.]{1,60}")
_CANONICAL_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z").fullmatch
_TRACE = re.compile(TRACEPARENT.encode()).fullmatch


_validate_envelope = Envelope.__pydantic_validator__.validate_python


class ContractError(ValueError):
    """A record that is not an event of the contract; `reason` is one word of the closed list below."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


BAD_ENVELOPE = "bad_envelope"
BAD_BODY = "bad_body"
NULL_VALUE = "null_value"
UNKNOWN_TYPE = "unknown_type"


@dataclass(slots=True)
class Record:
    """One record ready for the wire: where it goes, and its exact bytes. Treat it as frozen: freezing costs.

    Key, value and header values are None only in a dead letter, which keeps what it got. `partition` is set
    where the place matters more than the key.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[Header]
    partition: int | None = None


def encode(
    topic: str,
    key: str,
    data: EventData,
    *,
    id: str,  # noqa: A002 - the CloudEvents word
    source: str,
    time: datetime | bytes,
    traceparent: str | None,
) -> Record:
    """Return `data` as a record in binary mode; the same arguments always give the same bytes.

    `time` may be given as `Event.wire_time`.
    """
    headers: list[Header] = [
        _SPECVERSION,
        ("ce_id", id.encode()),
        _constant("ce_source", source),
        _constant("ce_type", data.type),
        ("ce_subject", data.subject.encode()),
        ("ce_time", time if isinstance(time, bytes) else format_time(time).encode()),
        _JSON_BODY,
    ]
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    return Record(topic, key.encode(), dump(data), headers)


def dump(data: EventData) -> bytes:
    """Return the canonical JSON body of `data`: compact, fields in model order, UTF-8."""
    return data.__pydantic_serializer__.to_json(data)


def format_time(time: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds: one spelling per instant."""
    text = time.isoformat("T", "milliseconds")
    if text[-6:] != "+00:00":
        text = time.astimezone(UTC).isoformat("T", "milliseconds")
    return text[:-6] + "Z"


@lru_cache(maxsize=256)
def _constant(name: str, value: str) -> Header:
    """Return a header that very many records share."""
    return name, value.encode()


def decode(value: bytes | None, headers: Iterable[Header]) -> Event[Any]:
    """Return the event in a Kafka record, in whichever content mode it was written.

    Raises ContractError, with a reason, for anything that is not an event of the contract. Headers that are
    not UTF-8, repeated or unknown do no harm unless they are CloudEvents attributes.
    """
    if value is None:
        raise ContractError(NULL_VALUE, "the record has no value; an event always has a JSON body")
    found = dict(headers)
    content_type = found.get(CONTENT_TYPE)
    if content_type is not None and content_type != JSON and content_type.lower().startswith(STRUCTURED):
        return _structured(value)
    try:
        return _plain(found, value)
    except (LookupError, AttributeError, _NotPlainError, UnicodeDecodeError):
        present = {name: raw for name, raw in headers if raw is not None}
        return _event(_envelope(_attributes(present)), value)


class _NotPlainError(Exception):
    """An envelope that is not spelled as we spell it; the model judges it."""


def _plain(found: Mapping[str, Any], value: bytes) -> Event[Any]:
    """Read an envelope spelled as ours are. By hand, for it runs for every record: it halves the time."""
    id_, subject, time = found["ce_id"].decode(), found["ce_subject"].decode(), found["ce_time"]
    trace = found.get("traceparent")
    if (
        found["ce_specversion"] != b"1.0"
        or not 0 < len(id_) <= LONGEST
        or not 0 < len(subject) <= LONGEST
        or "\0" in id_
        or "\0" in subject
        or not _CANONICAL_TIME(time or b"")
        or (not _TRACE(trace) if trace is not None else "ce_traceparent" in found)
    ):
        raise _NotPlainError
    try:
        instant = datetime.fromisoformat(time.decode())
    except ValueError:  # 30 February
        raise _NotPlainError from None
    source, type_ = _word(found["ce_source"]), _word(found["ce_type"])
    data = _body(type_, value)
    return Event(id_, source, type_, subject, instant, trace and trace.decode(), data, time)


@lru_cache(maxsize=1024)
def _word(raw: bytes) -> str:
    """Return an attribute that very many events share."""
    word = raw.decode()
    if not 0 < len(word) <= LONGEST or "\0" in word:
        raise _NotPlainError
    return word


def _event(envelope: Envelope, value: bytes) -> Event[Any]:
    data = _body(envelope.type, value)
    return Event(
        envelope.id,
        envelope.source,
        envelope.type,
        envelope.subject,
        envelope.time,
        envelope.traceparent,
        data,
    )


def _attributes(found: Mapping[str, bytes | None]) -> dict[str, Any]:
    ours = [(_ATTRIBUTE_OF[name], raw) for name, raw in found.items() if raw and name in _ATTRIBUTE_OF]
    ours.sort(key=lambda attribute: attribute == ("traceparent", found.get("traceparent")))  # it wins
    try:
        return {name: raw.decode() for name, raw in ours}
    except UnicodeDecodeError:
        # What is not UTF-8 becomes surrogates, which the envelope refuses field by field.
        return {name: raw.decode(errors="surrogateescape") for name, raw in ours}


def _structured(value: bytes) -> Event[Any]:
    try:
        document = from_json(value)
    except ValueError as error:
        raise ContractError(BAD_BODY, f"the structured event is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise ContractError(BAD_ENVELOPE, "a structured event is a JSON object")
    envelope = _envelope(document)
    if "data" not in document:
        raise ContractError(BAD_BODY, "data: missing; a structured event carries its body there")
    return _event(envelope, to_json(document["data"]))


def to_structured(record: Record) -> dict[str, Any]:
    """Return a record of `encode` as a CloudEvents JSON object (structured mode)."""
    return {
        **_attributes(dict(record.headers)),
        "datacontenttype": JSON.decode(),
        "data": from_json(record.value or b"null"),
    }


def _envelope(attributes: dict[str, Any]) -> Envelope:
    try:
        return _validate_envelope(attributes)  # type: ignore[no-any-return]
    except ValidationError as error:
        if any(problem["loc"] == ("traceparent",) for problem in error.errors()):
            # W3C Trace Context: a trace that cannot be read is dropped; it must not cost the report it is on.
            return _envelope({**attributes, "traceparent": None})
        raise ContractError(BAD_ENVELOPE, describe(error)) from None


def _body(event_type: str, value: bytes) -> EventData:
    model = REGISTRY.get(event_type)
    if model is None:
        raise ContractError(UNKNOWN_TYPE, f"{_named(event_type)} is not in this release's contract")
    try:
        return model.__pydantic_validator__.validate_json(value)  # type: ignore[no-any-return]
    except ValidationError as error:
        raise ContractError(BAD_BODY, describe(error)) from None


def _named(event_type: str) -> str:
    """Name a type only if it is spelled like one of ours: anything else may be somebody's data."""
    return f"type {event_type}" if _OURS.fullmatch(event_type) else "a type that is not Ruamjai's"


def describe(error: ValidationError) -> str:
    """Return what is wrong, field by field, without the values: they may be personal."""
    problems: Sequence[Any] = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, p['loc'])) or 'body'}: {p['msg']}" for p in problems[:5])
