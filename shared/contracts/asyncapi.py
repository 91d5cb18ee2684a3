"""The AsyncAPI 3.0 document: every topic, who sends and receives on it, and what its records look like."""

from typing import Any

from shared.contracts.event import Envelope
from shared.contracts.schemas import DIALECT, TOPICS, model_of
from shared.contracts.topics import Topic

Node = dict[str, Any]
BINDING = "0.5.0"
SCHEMA_FORMAT = f"application/schema+json;version={DIALECT.split('/')[4]}"


def document() -> Node:
    """Return the AsyncAPI document of the whole platform."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Ruamjai",
            "version": "0.1.0",
            "description": "The incident stream partner agencies share: CloudEvents 1.0, Kafka binary mode.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_name(topic): _channel(topic) for topic in TOPICS},
        "operations": {name: node for topic in TOPICS for name, node in _operations(topic).items()},
        "components": {"schemas": {"headers": _headers()}},
    }


def _name(topic: Topic) -> str:
    return topic.name.replace("{code}", "code")


def _channel(topic: Topic) -> Node:
    node = {
        "address": topic.name,
        "description": f"Written by {', '.join(topic.writers)}; read by {', '.join(topic.readers)}.",
        "messages": {model_of(name).__name__: _message(topic, name) for name in topic.types},
        "bindings": {"kafka": _channel_binding(topic)},
    }
    if "{code}" in topic.name:
        node["parameters"] = {"code": {"description": "Code of the agency"}}
    return node


def _channel_binding(topic: Topic) -> Node:
    return {
        "partitions": topic.partitions,
        "topicConfiguration": topic_configuration(topic),
        "bindingVersion": BINDING,
    }


def topic_configuration(topic: Topic) -> Node:
    """Return the Kafka settings of `topic` that its retention asks for; milliseconds."""
    if topic.kept is None:
        return {"cleanup.policy": ["compact"]}
    return {"cleanup.policy": ["delete"], "retention.ms": int(topic.kept.total_seconds() * 1000)}


def _message(topic: Topic, event_type: str) -> Node:
    model = model_of(event_type)
    key = {"type": "string", "description": _key_description(topic, model.subject_field, model.model_fields)}
    return {
        "name": event_type,
        "title": model.__name__,
        "summary": (model.__doc__ or "").strip(),
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/headers"},
        "payload": {"schemaFormat": SCHEMA_FORMAT, "schema": {"$ref": f"./schemas/{event_type}.json"}},
        "bindings": {"kafka": {"key": key, "bindingVersion": BINDING}},
    }


def _key_description(topic: Topic, subject: str, fields: Node) -> str:
    if topic.key not in fields:
        return f"`{subject}` of the body"
    if fields[topic.key].is_required():
        return f"`{topic.key}` of the body"
    return f"`{topic.key}` of the body, or `{subject}` where that is null"


def _operations(topic: Topic) -> dict[str, Node]:
    sends = {f"{who}.sends.{_name(topic)}": _operation(topic, "send") for who in topic.writers}
    return sends | {f"{who}.receives.{_name(topic)}": _operation(topic, "receive") for who in topic.readers}


def _operation(topic: Topic, action: str) -> Node:
    channel = f"#/channels/{_name(topic)}"
    messages = [{"$ref": f"{channel}/messages/{model_of(name).__name__}"} for name in topic.types]
    return {"action": action, "channel": {"$ref": channel}, "messages": messages}


def _headers() -> Node:
    """The CloudEvents attributes as Kafka headers; the trace context goes by its W3C name."""
    schema = Envelope.model_json_schema()
    named = {name: name if name == "traceparent" else f"ce_{name}" for name in schema["properties"]}
    return {
        "type": "object",
        "description": "Kafka headers, UTF-8",
        "properties": {
            **{named[name]: node for name, node in schema["properties"].items()},
            "content-type": {"const": "application/json"},
        },
        "required": [*(named[name] for name in schema["required"]), "content-type"],
    }
