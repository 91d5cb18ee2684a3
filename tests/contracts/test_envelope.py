"""An event survives the wire unchanged, in both content modes, byte for byte."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts import EventData, Record, Status, decode, encode
from shared.contracts.event import Event
from shared.contracts.kafka import dump, format_time
from shared.contracts.values import Place
from tests.contracts.examples import EXAMPLES
from tests.contracts.golden import TRACEPARENT, structured, written
from tests.contracts.strategies import IDS, INSTANTS, MILLISECONDS, TIMEZONES, TRACEPARENTS, bodies

WAYS_TO_WRITE = st.fixed_dictionaries(
    {"id": IDS, "source": IDS, "time": MILLISECONDS, "traceparent": TRACEPARENTS}
)


def read(record: Record) -> Event[Any]:
    return decode(record.value, record.headers)


def again(event: Event[Any]) -> Record:
    return encode(
        "topic",
        "key",
        event.data,
        id=event.id,
        source=event.source,
        time=event.time,
        traceparent=event.traceparent,
    )


@settings(max_examples=200, deadline=None)
@given(data=bodies(), how=WAYS_TO_WRITE)
def test_what_is_read_is_what_was_written_and_writes_the_same_bytes(
    data: EventData, how: dict[str, Any]
) -> None:
    record = encode("topic", "key", data, **how)
    event = read(record)
    assert event.data == data
    assert {name: getattr(event, name) for name in how} == how
    assert (event.type, event.subject) == (data.type, data.subject)
    assert again(event) == record


@settings(max_examples=200, deadline=None)
@given(data=bodies(), how=WAYS_TO_WRITE)
def test_structured_mode_says_the_same_as_binary_mode(data: EventData, how: dict[str, Any]) -> None:
    record = encode("topic", "key", data, **how)
    event = read(structured(record))
    assert dump(event.data) == record.value
    assert event == read(record)
    assert again(event) == record


@given(INSTANTS, TIMEZONES)
def test_an_instant_has_one_spelling_whatever_the_zone(instant: datetime, zone: Any) -> None:
    assert format_time(instant.astimezone(zone)) == format_time(instant)
    assert datetime.fromisoformat(format_time(instant)) == instant.replace(
        microsecond=instant.microsecond // 1000 * 1000
    )


def test_the_wire_is_the_cloudevents_kafka_binding() -> None:
    record = written(EXAMPLES[0])
    assert [name for name, _ in record.headers] == [
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_subject",
        "ce_time",
        "content-type",
        "traceparent",
    ]
    assert dict(record.headers)["ce_time"] == b"2026-11-23T10:15:30.250Z"
    assert record.key == b"rep-0193"


@pytest.mark.parametrize(
    "content_type", [b"application/cloudevents+json", b"Application/CloudEvents+JSON; charset=UTF-8"]
)
def test_structured_mode_is_recognised_whatever_its_spelling(content_type: bytes) -> None:
    record = structured(written(EXAMPLES[0]))
    assert decode(record.value, [("content-type", content_type)]).data == EXAMPLES[0]


def test_a_field_a_newer_release_added_is_passed_over() -> None:
    body = json.loads(dump(EXAMPLES[0])) | {"weather": "rain"}
    body["point"] |= {"floor": 3}
    headers = [*written(EXAMPLES[0]).headers, ("ce_dataschema", b"urn:x")]
    assert decode(json.dumps(body).encode(), headers).data == EXAMPLES[0]


def test_an_event_that_does_not_say_so_is_actual() -> None:
    body = json.loads(dump(EXAMPLES[0]))
    del body["status"]
    assert decode(json.dumps(body).encode(), written(EXAMPLES[0]).headers).data.status is Status.ACTUAL


HARMLESS: dict[str, Sequence[tuple[str, bytes | None]]] = {
    "not UTF-8": [("x-origin", b"\xff\xfe")],
    "null": [("x-origin", None), ("ce_id", None)],
    "repeated": [("x-origin", b"1"), ("x-origin", b"2")],
    "a broken trace": [("traceparent", b"00-broken")],
    "a trace of a newer version": [("traceparent", TRACEPARENT.replace("00-", "cc-", 1).encode())],
    "a trace that is not UTF-8": [("traceparent", b"\xff")],
}


@pytest.mark.parametrize("extra", HARMLESS.values(), ids=HARMLESS.keys())
def test_a_strange_header_costs_nobody_the_report(extra: Sequence[tuple[str, bytes | None]]) -> None:
    record = written(EXAMPLES[0])
    event = decode(record.value, [*record.headers, *extra])
    assert event.data == EXAMPLES[0]
    broken = any(name == "traceparent" for name, _ in extra)
    assert event.traceparent == (None if broken else TRACEPARENT)


def test_a_trace_may_come_under_its_cloudevents_name() -> None:
    headers = [
        (f"ce_{name}" if name == "traceparent" else name, v) for name, v in written(EXAMPLES[0]).headers
    ]
    assert decode(written(EXAMPLES[0]).value, headers).traceparent == TRACEPARENT


@pytest.mark.parametrize(
    "time", [b"2026-11-23T10:15:30.250Z", b"2026-11-23T10:15:30Z"], ids=["ours", "theirs"]
)
def test_of_two_traces_the_one_under_its_own_name_counts(time: bytes) -> None:
    other = TRACEPARENT.replace("b7ad6b7169203331", "00f067aa0ba902b7").encode()
    headers = [*written(EXAMPLES[0]).headers, ("ce_traceparent", other), ("ce_time", time)]
    assert decode(written(EXAMPLES[0]).value, headers).traceparent == TRACEPARENT


def test_bodies_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        EXAMPLES[0].__setattr__("status", Status.TEST)
    assert EXAMPLES[0].status is Status.ACTUAL


def test_times_without_a_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="timezone"):
        type(EXAMPLES[0]).model_validate(EXAMPLES[0].model_dump() | {"received_at": datetime(2026, 1, 1)})
    assert EXAMPLES[0].model_dump()["received_at"].tzinfo is UTC


def test_bodies_keep_no_account_of_their_own_of_the_fields_they_were_given() -> None:
    place = Place.model_validate({"province": "67"})
    moved = place.model_copy(update={"amphoe": "6701"})
    assert moved == Place(province="67", amphoe="6701")
    kept = [id(each.model_fields_set) for each in (place, Place(), Place.model_construct(province="67"))]
    assert len(set(kept)) == 1
    assert not place.model_fields_set
