"""What is published about the contract is current, and valid by the standards' own schemas."""

import json
import re
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from shared.contracts.__main__ import artifacts, write
from shared.contracts.asyncapi import document
from shared.contracts.event import REGISTRY, EventData
from shared.contracts.kafka import to_structured
from shared.contracts.schemas import published_types, schemas
from tests.contracts.examples import EXAMPLES
from tests.contracts.golden import golden_records, structured, written

ROOT = Path(__file__).parents[2]
STANDARDS = ROOT.parent / "shared" / "standards"


def standard(name: str) -> dict[str, Any]:
    path = STANDARDS / name
    if not path.exists():
        pytest.skip("expected: the published schema is not on this machine")
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def test_the_committed_documents_are_what_the_models_say_now() -> None:
    committed = {name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in artifacts()}
    assert committed == artifacts(), "run `python -m shared.contracts` and commit what it writes"


def test_no_schema_outlives_its_type(tmp_path: Path) -> None:
    gone = tmp_path / "contracts" / "schemas" / "th.ruamjai.gone.away.v1.json"
    gone.parent.mkdir(parents=True)
    gone.write_text("{}")
    write(tmp_path)
    written_paths = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")}
    assert written_paths == set(artifacts())
    committed = (ROOT / "docs" / "contracts").rglob("*.json")
    assert {str(path.relative_to(ROOT / "docs")) for path in committed} <= set(artifacts())


def test_asyncapi_json_is_valid_asyncapi_3() -> None:
    validator = Draft7Validator(standard("asyncapi-3.0.0.json"))
    assert [error.message for error in validator.iter_errors(document())] == []


def test_every_reference_of_asyncapi_json_leads_somewhere() -> None:
    files, whole = artifacts(), document()
    for reference in set(re.findall(r'"\$ref": "([^"]+)"', files["contracts/asyncapi.json"])):
        if reference.startswith("#/"):
            assert reduce(dict.__getitem__, reference[2:].split("/"), whole)
        else:
            assert f"contracts/{reference.removeprefix('./')}" in files


@pytest.mark.parametrize("name", published_types())
def test_every_schema_is_valid_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(schemas()[name])


@pytest.mark.parametrize("data", EXAMPLES, ids=lambda data: data.type)
def test_every_example_satisfies_its_published_schema(data: EventData) -> None:
    Draft202012Validator(schemas()[data.type]).validate(data.model_dump(mode="json"))


@pytest.mark.parametrize("data", EXAMPLES, ids=lambda data: data.type)
def test_every_event_is_a_valid_cloudevent(data: EventData) -> None:
    Draft7Validator(standard("cloudevents.json")).validate(to_structured(written(data)))


def test_the_stored_structured_record_is_a_valid_cloudevent() -> None:
    value = golden_records()["structured"].value or b""
    Draft7Validator(standard("cloudevents.json")).validate(json.loads(value))
    assert json.loads(value) == json.loads(structured(written(EXAMPLES[0])).value or b"")


def test_every_header_we_write_is_described_in_asyncapi_json() -> None:
    described = document()["components"]["schemas"]["headers"]
    headers = {name: (value or b"").decode() for name, value in written(EXAMPLES[0]).headers}
    Draft202012Validator(described).validate(headers)
    assert headers.keys() <= described["properties"].keys()


@pytest.mark.parametrize("name", published_types())
def test_every_field_is_described(name: str) -> None:
    model = REGISTRY.get(name)
    assert model is not None
    assert [field for field, info in model.model_fields.items() if not info.description] == []
    assert model.__doc__


def test_every_string_and_list_on_the_bus_is_bounded() -> None:
    unbounded = [f"{name} {node}" for name, schema in schemas().items() for node in _unbounded(schema)]
    assert unbounded == []


def _unbounded(node: Any) -> list[Any]:
    if isinstance(node, list):
        return [found for part in node for found in _unbounded(part)]
    if not isinstance(node, dict):
        return []
    inner = [found for key, part in node.items() if key != "default" for found in _unbounded(part)]
    return inner if _bounded(node) else [node, *inner]


def _bounded(node: dict[str, Any]) -> bool:
    if node.get("type") == "array":
        return "maxItems" in node
    if node.get("type") == "string" and not {"enum", "format", "maxLength"} & node.keys():
        return not re.search(r"[*+]", re.sub(r"\[.*?\]", "", node["pattern"]))
    return True
