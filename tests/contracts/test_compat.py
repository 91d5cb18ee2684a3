"""Old messages stay readable, old consumers keep reading, and a change that breaks either is caught."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.contracts import EventData, decode
from shared.contracts.compat import breaking_changes
from shared.contracts.kafka import dump
from shared.contracts.schemas import body_schema, published_types, schemas
from shared.contracts.topics import INCIDENTS, REPORTS_RECEIVED
from tests.contracts.examples import EXAMPLES
from tests.contracts.golden import golden_records, golden_schemas
from tests.contracts.strategies import body_of

Contract = dict[str, dict[str, Any]]
RECORDS, OLD = golden_records(), golden_schemas()
OLD_CONSUMERS = {name: Draft202012Validator(schema) for name, schema in OLD.items()}
RECEIVED = "th.ruamjai.report.received.v1"
LOCATED = "th.ruamjai.report.located.v1"
OPENED = "th.ruamjai.incident.opened.v1"


def test_nothing_has_been_broken_since_it_was_first_published() -> None:
    assert breaking_changes(OLD, schemas()) == []


def test_every_type_has_a_stored_record_and_a_stored_schema() -> None:
    missing = set(published_types()) - (RECORDS.keys() & OLD.keys())
    assert not missing, "run `python -m tests.contracts.golden` and commit what it adds"
    assert {data.type for data in EXAMPLES} == set(published_types())


@pytest.mark.parametrize("name", RECORDS)
def test_todays_models_read_every_stored_record_in_full(name: str) -> None:
    record = RECORDS[name]
    stored = json.loads(record.value or b"")
    event = decode(record.value, record.headers)
    assert event.type == (stored["type"] if name == "structured" else name)
    assert event.data.type == event.type
    assert event.subject == event.data.subject
    assert _contains(json.loads(dump(event.data)), stored["data"] if name == "structured" else stored)


@pytest.mark.parametrize("name", OLD)
@settings(max_examples=25, deadline=None)
@given(drawn=st.data())
def test_an_old_consumer_reads_whatever_todays_models_write(name: str, drawn: st.DataObject) -> None:
    data: EventData = drawn.draw(body_of(name))
    OLD_CONSUMERS[name].validate(json.loads(dump(data)))


def _remove_a_field(contract: Contract) -> None:
    del contract[RECEIVED]["properties"]["text"]


def _remove_a_nested_field(contract: Contract) -> None:
    del contract[OPENED]["$defs"]["TaskView"]["properties"]["acknowledge_by"]


def _require_a_new_field(contract: Contract) -> None:
    contract[RECEIVED]["properties"]["weather"] = {"type": "string"}
    contract[RECEIVED]["required"].append("weather")


def _require_an_optional_field(contract: Contract) -> None:
    contract[RECEIVED]["required"].append("point")


def _make_a_required_field_optional(contract: Contract) -> None:
    contract[RECEIVED]["required"].remove("channel")


def _narrow_an_enum(contract: Contract) -> None:
    contract[RECEIVED]["$defs"]["Priority"]["enum"].remove("P4")


def _widen_an_enum(contract: Contract) -> None:
    contract[RECEIVED]["$defs"]["Priority"]["enum"].append("P0")


def _change_a_type(contract: Contract) -> None:
    contract[OPENED]["properties"]["seq"]["type"] = "string"


def _forbid_null(contract: Contract) -> None:
    contract[RECEIVED]["properties"]["point"] = {"$ref": "#/$defs/GeoPoint"}


def _tighten_a_bound(contract: Contract) -> None:
    contract[RECEIVED]["properties"]["text"]["maxLength"] = 4_000


def _loosen_a_bound(contract: Contract) -> None:
    del contract[OPENED]["properties"]["seq"]["minimum"]


def _change_a_pattern(contract: Contract) -> None:
    contract[LOCATED]["$defs"]["Place"]["properties"]["tambon"]["anyOf"][0]["pattern"] = "^[0-9]{8}$"


def _change_what_a_list_holds(contract: Contract) -> None:
    contract[OPENED]["$defs"]["TaskView"]["properties"]["units"]["items"]["type"] = "integer"


def _change_a_default(contract: Contract) -> None:
    contract[RECEIVED]["properties"]["category"]["default"] = "other"


def _change_the_key(contract: Contract) -> None:
    contract[RECEIVED]["x-record-keys"]["reports.received"] = "channel"


def _take_it_off_a_topic(contract: Contract) -> None:
    del contract[RECEIVED]["x-record-keys"]["reports.received.urgent"]


def _change_the_subject(contract: Contract) -> None:
    contract[RECEIVED]["x-subject"] = "channel"


def _drop_a_type(contract: Contract) -> None:
    del contract[RECEIVED]


def _rename_a_type(contract: Contract) -> None:
    contract["th.ruamjai.report.taken.v1"] = contract.pop(RECEIVED)


BREAKING: dict[Callable[[Contract], None], str] = {
    _remove_a_field: f"{RECEIVED}.text: the field is gone",
    _remove_a_nested_field: f"{OPENED}.view.tasks[].acknowledge_by: the field is gone",
    _require_a_new_field: f"{RECEIVED}.weather: the field is required now",
    _require_an_optional_field: f"{RECEIVED}.point: the field is required now",
    _make_a_required_field_optional: f"{RECEIVED}.channel: the field is optional now",
    _narrow_an_enum: f"{RECEIVED}.priority: enum changed",
    _widen_an_enum: f"{RECEIVED}.priority: enum changed",
    _change_a_type: f"{OPENED}.seq: type changed from 'integer' to 'string'",
    _forbid_null: f"{RECEIVED}.point: anyOf changed",
    _tighten_a_bound: f"{RECEIVED}.text: maxLength changed from 8000 to 4000",
    _loosen_a_bound: f"{OPENED}.seq: minimum changed from 1 to None",
    _change_a_pattern: f"{LOCATED}.place.tambon|0: pattern changed",
    _change_what_a_list_holds: f"{OPENED}.view.tasks[].units[]: type changed",
    _change_a_default: f"{RECEIVED}.category: default changed from 'unknown' to 'other'",
    _change_the_key: f"{RECEIVED}: x-record-keys changed",
    _take_it_off_a_topic: f"{RECEIVED}: x-record-keys changed",
    _change_the_subject: f"{RECEIVED}: x-subject changed",
    _drop_a_type: f"{RECEIVED}: the type is gone",
    _rename_a_type: f"{RECEIVED}: the type is gone",
}


@pytest.mark.parametrize(
    ("edit", "expected"), BREAKING.items(), ids=lambda part: getattr(part, "__name__", "")
)
def test_a_breaking_edit_is_caught_and_named(edit: Callable[[Contract], None], expected: str) -> None:
    edited = deepcopy(OLD)
    edit(edited)
    problems = breaking_changes(OLD, edited)
    assert any(problem.startswith(expected) for problem in problems), problems


def _add_an_optional_field(contract: Contract) -> None:
    contract[RECEIVED]["properties"]["weather"] = {"type": "string", "default": ""}


def _add_an_optional_field_deep_inside(contract: Contract) -> None:
    contract[OPENED]["$defs"]["Floor"] = {"type": "integer"}
    place = contract[OPENED]["$defs"]["Place"]["properties"]
    place["floor"] = {"anyOf": [{"$ref": "#/$defs/Floor"}, {"type": "null"}], "default": None}
    contract[OPENED]["$defs"]["IncidentView"]["properties"]["place"]["default"]["floor"] = None


def _say_it_better(contract: Contract) -> None:
    contract[RECEIVED]["properties"]["text"] |= {"description": "What they said", "title": "Words"}


def _add_a_type_and_a_topic(contract: Contract) -> None:
    contract["th.ruamjai.report.rated.v1"] = {"type": "object", "properties": {}}
    contract[RECEIVED]["x-record-keys"]["reports.copied"] = "report_id"


@pytest.mark.parametrize(
    "edit",
    [_add_an_optional_field, _add_an_optional_field_deep_inside, _say_it_better, _add_a_type_and_a_topic],
)
def test_an_addition_passes(edit: Callable[[Contract], None]) -> None:
    edited = deepcopy(OLD)
    edit(edited)
    assert edited != OLD
    assert breaking_changes(OLD, edited) == []


def test_the_key_of_every_topic_is_part_of_the_schema() -> None:
    model = type(EXAMPLES[0])
    assert body_schema(model, [REPORTS_RECEIVED, INCIDENTS])["x-record-keys"] == {
        "reports.received": "report_id"
    }


def test_an_old_consumer_refuses_what_a_breaking_model_would_write() -> None:
    body = json.loads(dump(EXAMPLES[0]))
    assert OLD_CONSUMERS[RECEIVED].is_valid(body)
    assert not OLD_CONSUMERS[RECEIVED].is_valid(body | {"priority": "P0"})
    assert not OLD_CONSUMERS[RECEIVED].is_valid({k: v for k, v in body.items() if k != "channel"})


def _contains(new: Any, old: Any) -> bool:
    if isinstance(old, dict):
        return isinstance(new, dict) and all(k in new and _contains(new[k], v) for k, v in old.items())
    if isinstance(old, list):
        return len(new) == len(old) and all(map(_contains, new, old))
    return bool(new == old)
