"""Whatever bytes arrive, reading them ends in an event or a ContractError that gives nothing away."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from traceback import format_exception
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts import AgreementPublished, ContractError, EventData, decode, encode
from shared.contracts.event import Model
from shared.contracts.kafka import (
    BAD_BODY,
    BAD_ENVELOPE,
    CONTENT_TYPE,
    JSON,
    NULL_VALUE,
    STRUCTURED_JSON,
    UNKNOWN_TYPE,
    Header,
    dump,
)
from shared.contracts.schemas import published_types
from tests.contracts.examples import EXAMPLES
from tests.contracts.golden import written

REASONS = {BAD_BODY, BAD_ENVELOPE, NULL_VALUE, UNKNOWN_TYPE}
SECRET = "1-6707-00123-45-6"
NAMES = [
    "ce_specversion",
    "ce_id",
    "ce_source",
    "ce_type",
    "ce_subject",
    "ce_time",
    "traceparent",
    CONTENT_TYPE,
]
BYTES = st.binary(max_size=200) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
HEADERS = st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=10), st.none() | BYTES), max_size=12)
TYPES = st.sampled_from(published_types()).map(str.encode)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
).map(lambda node: json.dumps(node).encode())
MIB = 1024 * 1024
IN_STRUCTURED_MODE: list[Header] = [(CONTENT_TYPE, STRUCTURED_JSON)]


def envelope(event_type: bytes = EXAMPLES[0].type.encode(), **more: bytes) -> list[Header]:
    known = {"ce_specversion": b"1.0", "ce_id": b"1", "ce_source": b"/s", "ce_type": event_type}
    known |= {"ce_subject": b"s", "ce_time": b"2026-11-23T10:15:30.250Z", CONTENT_TYPE: JSON}
    return list((known | more).items())


def refusal(value: bytes | None, headers: list[Header]) -> ContractError | None:
    """Return why a record is refused, None when it is an event; any other error fails the test."""
    try:
        decode(value, headers)
    except ContractError as error:
        return _with_a_reason(error)
    return None


def _with_a_reason(error: ContractError) -> ContractError:
    assert error.reason in REASONS
    assert error.detail
    assert str(error) == f"{error.reason}: {error.detail}"
    return error


@settings(max_examples=300, deadline=None)
@given(value=st.none() | BYTES | JSONS, headers=HEADERS)
def test_random_records_are_refused_with_a_reason(value: bytes | None, headers: list[Header]) -> None:
    assert refusal(value, headers) is not None


@settings(max_examples=300, deadline=None)
@given(value=BYTES | JSONS, event_type=TYPES)
def test_random_bodies_are_refused_with_a_reason(value: bytes, event_type: bytes) -> None:
    error = refusal(value, envelope(event_type))
    assert error is not None
    assert error.reason == BAD_BODY


@settings(max_examples=300, deadline=None)
@given(value=BYTES | JSONS)
@example(value=b'{"specversion":"1.0","id":5}')
def test_random_structured_events_are_refused_with_a_reason(value: bytes) -> None:
    assert refusal(value, IN_STRUCTURED_MODE) is not None


@settings(max_examples=300, deadline=None)
@given(drawn=st.data())
def test_a_field_of_the_wrong_type_never_raises_anything_else(drawn: st.DataObject) -> None:
    data = drawn.draw(st.sampled_from(EXAMPLES))
    body = json.loads(dump(data))
    body[drawn.draw(st.sampled_from(sorted(body)))] = json.loads(drawn.draw(JSONS))
    refusal(json.dumps(body).encode(), envelope(data.type.encode()))


BIG: dict[str, bytes] = {
    "random bytes": bytes(range(256)) * (MIB // 256),
    "a text": b'{"text":"' + b"a" * MIB + b'"}',
    "a list of nothings": b'{"terms":[' + b",".join([b"0"] * (MIB // 2)) + b"]}",
    "nesting": b'{"a":' * (MIB // 5),
    "a number": b'{"seq":' + b"9" * MIB + b"}",
    "unknown fields": b"{" + b",".join(b'"%d":1' % i for i in range(MIB // 12)) + b"}",
}


@pytest.mark.parametrize("name", [EXAMPLES[0].type, "th.ruamjai.agreement.published.v1"])
@pytest.mark.parametrize("value", BIG.values(), ids=BIG.keys())
def test_a_mebibyte_of_rubbish_is_refused_briefly(value: bytes, name: str) -> None:
    for headers in (envelope(name.encode()), IN_STRUCTURED_MODE):
        error = refusal(value, headers)
        assert error is not None
        assert len(str(error)) < 1_000


@pytest.mark.parametrize("header", ["ce_id", "ce_type", "ce_subject", "ce_source", "ce_time"])
def test_a_mebibyte_of_header_is_refused_briefly(header: str) -> None:
    error = refusal(dump(EXAMPLES[0]), envelope(**{header: b"a" * MIB}))
    assert error is not None
    assert len(str(error)) < 1_000


def test_a_list_of_rubbish_stops_at_its_first_item() -> None:
    rubbish = [0] * 100_000
    with pytest.raises(ValidationError) as caught:
        AgreementPublished(agreement_id="a", agency="b", parties=rubbish, terms=rubbish)
    assert caught.value.error_count() < 10


def test_a_null_value_is_not_an_event() -> None:
    error = refusal(None, envelope())
    assert error is not None
    assert error.reason == NULL_VALUE


def test_a_type_of_another_release_is_named_and_a_strangers_is_not() -> None:
    newer, strange = (
        refusal(b"{}", envelope(b"th.ruamjai.report.rated.v1")),
        refusal(b"{}", envelope(SECRET.encode())),
    )
    assert newer is not None
    assert strange is not None
    assert newer.reason == strange.reason == UNKNOWN_TYPE
    assert "th.ruamjai.report.rated.v1" in str(newer)
    assert SECRET not in str(strange)


@pytest.mark.parametrize("header", ["ce_id", "ce_type", "ce_subject", "ce_source", "ce_time"])
@pytest.mark.parametrize("value", [b"", b"\xff", b"\x00", None])
def test_an_attribute_that_is_missing_or_unreadable_is_a_bad_envelope(
    header: str, value: bytes | None
) -> None:
    headers = [(name, value if name == header else raw) for name, raw in envelope()]
    error = refusal(dump(EXAMPLES[0]), headers)
    assert error is not None
    assert error.reason == BAD_ENVELOPE
    assert error.detail.startswith(header.removeprefix("ce_"))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "91", '"north"'])
def test_a_latitude_that_is_no_latitude_is_refused(number: str) -> None:
    value = (dump(EXAMPLES[0]).decode()).replace('"lat":16.419', f'"lat":{number}').encode()
    error = refusal(value, envelope())
    assert error is not None
    assert error.detail.startswith("point.lat: ")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_number_that_json_cannot_spell_is_refused_even_without_bounds(number: str) -> None:
    class Reading(Model):
        value: float

    with pytest.raises(ValidationError, match="finite"):
        Reading.model_validate_json(f'{{"value":{number}}}')


SPOILT: list[Callable[[Any], Any]] = [
    lambda value: SECRET,
    lambda value: [SECRET, {SECRET: SECRET}],
    lambda value: {SECRET: SECRET},
    lambda value: SECRET * 2_000,
    lambda value: f"{SECRET}\0\n",
]


@pytest.mark.parametrize("data", EXAMPLES, ids=lambda data: data.type)
def test_a_refusal_repeats_nothing_of_the_message(data: EventData) -> None:
    refused = 0
    for body in _spoilt(json.loads(dump(data))):
        for value, headers in _as_both_modes(body, data):
            error = refusal(value, headers)
            if error is not None:
                refused += 1
                assert SECRET not in "".join(format_exception(error))
    assert refused > 10


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "subject", "time", "traceparent"])
def test_a_refused_envelope_repeats_nothing_of_the_message(name: str) -> None:
    for spoil in SPOILT:
        document = _document(SECRET, {}) | {name: spoil(None)}
        error = refusal(json.dumps(document).encode(), IN_STRUCTURED_MODE)
        assert error is not None
        assert SECRET not in "".join(format_exception(error))


def _spoilt(node: Any) -> list[Any]:
    """Return copies of `node`, each with one value somewhere in it replaced by one that does not fit."""
    copies = [spoil(node) for spoil in SPOILT]
    if isinstance(node, dict):
        copies += [{**node, key: part} for key, value in node.items() for part in _spoilt(value)]
    if isinstance(node, list):
        copies += [[part, *node[1:]] for part in (_spoilt(node[0]) if node else [])]
    return copies


def _as_both_modes(body: Any, data: EventData) -> list[tuple[bytes, list[Header]]]:
    document = json.dumps(_document(data.type, body)).encode()
    return [(json.dumps(body).encode(), written(data).headers), (document, IN_STRUCTURED_MODE)]


def _document(event_type: str, body: Any) -> dict[str, Any]:
    attributes = {"specversion": "1.0", "id": "1", "source": "/s", "type": event_type, "subject": "s"}
    return {**attributes, "time": "2026-11-23T10:15:30Z", "data": body}


def test_an_event_is_still_read_after_all_that() -> None:
    record = encode("t", "k", EXAMPLES[0], id="1", source="/s", time=datetime.now(UTC), traceparent=None)
    assert refusal(record.value, record.headers) is None
