"""The JSON Schemas of the contract: what an old consumer, or one in another language, may rely on."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from shared.contracts.event import REGISTRY, Envelope, EventData
from shared.contracts.topics import ALL, PER_AGENCY, Topic

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
TOPICS = (*ALL, *PER_AGENCY)


def published_types() -> list[str]:
    """Return every event type that some topic carries, sorted."""
    return sorted({name for topic in TOPICS for name in topic.types})


def model_of(event_type: str) -> type[EventData]:
    """Return the model of a published type; KeyError when there is none."""
    model = REGISTRY.get(event_type)
    if model is None:
        raise KeyError(event_type)
    return model


def schemas() -> dict[str, Schema]:
    """Return the JSON Schema of every published type, by type."""
    return {name: body_schema(model_of(name), TOPICS) for name in published_types()}


def body_schema(model: type[EventData], topics: Iterable[Topic]) -> Schema:
    """Return the JSON Schema (2020-12) of a body as a reader sees it, its subject and its record keys."""
    return {
        **_schema(model, model.type),
        "x-subject": model.subject_field,
        "x-record-keys": {topic.name: topic.key for topic in topics if model.type in topic.types},
    }


def envelope_schema() -> Schema:
    """Return the JSON Schema of the CloudEvents attributes."""
    return _schema(Envelope, "envelope")


def _schema(model: type[BaseModel], name: str) -> Schema:
    return {"$schema": DIALECT, "$id": f"urn:ruamjai:contract:{name}", **model.model_json_schema()}
