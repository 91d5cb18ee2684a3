"""Hypothesis strategies: any valid body of a model, built from the model's own published schema."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any

from hypothesis import strategies as st

from shared.contracts.event import EventData
from shared.contracts.schemas import model_of, published_types, schemas

Schema = Mapping[str, Any]
SCHEMAS = schemas()
MAX_ITEMS = 3  # enough to have none, one and several; longer lists only slow the search
TIMEZONES = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
FIRST, LAST = datetime(1970, 1, 2), datetime(2200, 1, 1)
INSTANTS: st.SearchStrategy[datetime] = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
MILLISECONDS = INSTANTS.map(lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000))
NO_CONTROL = st.characters(codec="utf-8", exclude_characters="\0")
IDS = st.text(NO_CONTROL, min_size=1, max_size=40)
TRACEPARENTS = st.none() | st.from_regex(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True)


def bodies() -> st.SearchStrategy[EventData]:
    """Any valid body of any published type."""
    return st.sampled_from(published_types()).flatmap(body_of)


@cache
def body_of(event_type: str) -> st.SearchStrategy[EventData]:
    """Any valid body of one type; its optional fields are now there, now absent."""
    schema = SCHEMAS[event_type]
    return json_of(schema, schema).map(model_of(event_type).model_validate)


def json_of(schema: Schema, root: Schema) -> st.SearchStrategy[Any]:
    """Any JSON value that `schema` allows; references are looked up in `root`."""
    if "$ref" in schema:
        return json_of(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return st.one_of([json_of(part, root) for part in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _OF_TYPE[schema["type"]](schema, root)


def _object(schema: Schema, root: Schema) -> st.SearchStrategy[Any]:
    fields = {name: json_of(node, root) for name, node in schema["properties"].items()}
    required = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: node for name, node in fields.items() if name in required},
        optional={name: node for name, node in fields.items() if name not in required},
    )


def _array(schema: Schema, root: Schema) -> st.SearchStrategy[Any]:
    least, most = schema.get("minItems", 0), schema["maxItems"]
    return st.lists(json_of(schema["items"], root), min_size=least, max_size=min(most, least + MAX_ITEMS))


def _string(schema: Schema, _: Schema) -> st.SearchStrategy[Any]:
    if schema.get("format") == "date-time":
        return st.datetimes(FIRST, LAST, timezones=TIMEZONES).map(datetime.isoformat)
    if "pattern" in schema:
        matching = st.from_regex(schema["pattern"], fullmatch=True)
        return matching.filter(lambda text: len(text) <= schema.get("maxLength", len(text)))
    return st.text(min_size=schema.get("minLength", 0), max_size=min(schema["maxLength"], 200))


def _number(schema: Schema, _: Schema) -> st.SearchStrategy[Any]:
    return st.floats(schema["minimum"], schema["maximum"])


def _integer(schema: Schema, _: Schema) -> st.SearchStrategy[Any]:
    return st.integers(schema["minimum"], 2**53)


_OF_TYPE = {
    "object": _object,
    "array": _array,
    "string": _string,
    "number": _number,
    "integer": _integer,
    "boolean": lambda *_: st.booleans(),
    "null": lambda *_: st.none(),
}
