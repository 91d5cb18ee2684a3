"""The CloudEvents Kafka binding, both ways: binary mode is written, binary and structured mode are read.

Source: CloudEvents Kafka protocol binding 1.0.3, sections 3.2 (binary) and 3.3 (structured).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from shared.contracts.event import REGISTRY, TYPE_PREFIX, Envelope, Event, EventData

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
_OURS = re.compile(re.escape(TYPE_PREFIX) + r"[a-z0-9_.]{1,60}")
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


@dataclass(frozen=True, slots=True)
class Record:
    """One record ready for the wire: where it goes, and its exact bytes.

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
    time: datetime,
    traceparent: str | None,
) -> Record:
    """Return `data` as a record in binary mode; the same arguments always give the same bytes."""
    headers: list[Header] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", data.type.encode()),
        ("ce_subject", data.subject.encode()),
        ("ce_time", format_time(time).encode()),
        (CONTENT_TYPE, JSON),
    ]
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    return Record(topic, key.encode(), dump(data), headers)


def dump(data: EventData) -> bytes:
    """Return the canonical JSON body of `data`: compact, fields in model order, UTF-8."""
    return data.__pydantic_serializer__.to_json(data)


def format_time(time: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds: one spelling per instant."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def decode(value: bytes | None, headers: Iterable[Header]) -> Event[Any]:
    """Return the event in a Kafka record, in whichever content mode it was written.

    Raises ContractError, with a reason, for anything that is not an event of the contract. Headers that are
    not UTF-8, repeated or unknown do no harm unless they are CloudEvents attributes.
    """
    if value is None:
        raise ContractError(NULL_VALUE, "the record has no value; an event always has a JSON body")
    found = {name: raw for name, raw in headers if raw is not None}
    if found.get(CONTENT_TYPE, b"").lower().startswith(STRUCTURED):
        return _structured(value)
    envelope = _envelope(_attributes(found))
    return Event(envelope, _body(envelope.type, value))


def _attributes(found: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        return {_ATTRIBUTE_OF[name]: raw.decode() for name, raw in found.items() if name in _ATTRIBUTE_OF}
    except UnicodeDecodeError:
        # What is not UTF-8 becomes surrogates, which the envelope refuses field by field.
        ours = {name: raw for name, raw in found.items() if name in _ATTRIBUTE_OF}
        return {_ATTRIBUTE_OF[name]: raw.decode(errors="surrogateescape") for name, raw in ours.items()}


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
    return Event(envelope, _body(envelope.type, to_json(document["data"])))


def to_structured(record: Record) -> dict[str, Any]:
    """Return a record of `encode` as a CloudEvents JSON object (structured mode)."""
    found = {name: raw for name, raw in record.headers if raw is not None}
    return {
        **_attributes(found),
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
