"""The stored past of the contract. `python -m tests.contracts.golden` adds what is missing, no more."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.contracts import EventData, Record, encode
from shared.contracts.ids import derived_id
from shared.contracts.kafka import STRUCTURED_JSON, to_structured
from shared.contracts.schemas import TOPICS, schemas
from tests.contracts.examples import AGENCY, EVENT, EXAMPLES, NOW

HERE = Path(__file__).parent / "past"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def golden_records() -> dict[str, Record]:
    """Return every stored record, by the name of its file."""
    return {path.stem: _loaded(path) for path in sorted((HERE / "records").glob("*.json"))}


def golden_schemas() -> dict[str, dict[str, Any]]:
    """Return the schemas as they were when their types were first published, by type."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((HERE / "schemas").glob("*.json"))}


def written(data: EventData) -> Record:
    """Return the record that the platform writes for `data`, on the first topic that carries its type."""
    topic = next(topic for topic in TOPICS if data.type in topic.types)
    return encode(
        topic.name.format(code=AGENCY),
        topic.key_of(data),
        data,
        id=derived_id(EVENT, data.type, data.subject, 0),
        source="/ruamjai/golden",
        time=NOW,
        traceparent=TRACEPARENT,
    )


def structured(record: Record) -> Record:
    """Return the same event in structured mode, as a partner's library may send it."""
    value = json.dumps(to_structured(record), ensure_ascii=False).encode()
    return Record(record.topic, record.key, value, [("content-type", STRUCTURED_JSON + b"; charset=UTF-8")])


def freeze() -> None:
    """Store a record and the schema of every type that has none yet, and one structured record."""
    for data in EXAMPLES:
        _keep(HERE / "records" / f"{data.type}.json", _stored(written(data)))
    _keep(HERE / "records" / "structured.json", _stored(structured(written(EXAMPLES[0]))))
    for name, schema in schemas().items():
        _keep(HERE / "schemas" / f"{name}.json", schema)


def _keep(path: Path, node: dict[str, Any]) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(node, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _stored(record: Record) -> dict[str, Any]:
    headers = [[name, (value or b"").decode()] for name, value in record.headers]
    texts = {"key": (record.key or b"").decode(), "value": (record.value or b"").decode()}
    return {"topic": record.topic, **texts, "headers": headers}


def _loaded(path: Path) -> Record:
    node = json.loads(path.read_text(encoding="utf-8"))
    headers: Sequence[tuple[str, str]] = node["headers"]
    raw: list[tuple[str, bytes | None]] = [(name, value.encode()) for name, value in headers]
    return Record(node["topic"], node["key"].encode(), node["value"].encode(), raw)


if __name__ == "__main__":
    freeze()
