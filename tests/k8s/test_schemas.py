"""Every field that we write exists, and has the type that it must have."""

import json
import os
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing import Resource as Referenced

from tests.k8s.rendering import Resource, identity, resources

OLDEST = "v1.32.0"
"""The Kubernetes that must know everything we say. What it knew, its successors know."""
CRDS = "RUAMJAI_CRDS"
"""Names a folder of the custom resource definitions, as their projects publish them."""
BUILT_IN = ("apps", "batch", "networking.k8s.io", "policy")


def ours(resource: Resource) -> bool:
    """Whether Kubernetes itself knows the kind."""
    group, slash, _ = resource["apiVersion"].partition("/")
    return not slash or group in BUILT_IN


def test_kubernetes_knows_every_field(overlay: str) -> None:
    assert [wrong for r in resources(overlay) if ours(r) for wrong in complaints(built_in(r), r)] == []


def test_operators_know_every_field(overlay: str) -> None:
    folder = os.environ.get(CRDS)
    if not folder:
        pytest.skip(f"expected: {CRDS} names no folder of the operators' definitions")
    known, foreign = definitions(Path(folder)), [r for r in resources(overlay) if not ours(r)]
    assert [wrong for r in foreign for wrong in complaints(known[r["apiVersion"], r["kind"]], r)] == []


def complaints(schema: Draft202012Validator, resource: Resource) -> Iterator[str]:
    for error in schema.iter_errors(resource):
        yield f"{identity(resource)}: {error.json_path} {error.message}"


def built_in(resource: Resource) -> Draft202012Validator:
    """Return the strict schema of one of Kubernetes' own kinds, as kubernetes-validate carries it."""
    group, _, version = resource["apiVersion"].rpartition("/")
    name = "-".join(part for part in (resource["kind"].lower(), group.partition(".")[0], version) if part)
    return validator(name)


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(published(name), registry=shared())


@cache
def shared() -> Registry[Any]:
    """Return the definitions that the schemas refer to."""
    empty: Registry[Any] = Registry()
    found: Registry[Any] = empty.with_resource("", Referenced.from_contents(published("_definitions")))
    return found


def published(name: str) -> Any:
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"{OLDEST}-local-strict"
    return json.loads((folder / f"{name}.json").read_text())


@cache
def definitions(folder: Path) -> dict[tuple[str, str], Draft202012Validator]:
    """Return a strict schema for each kind of the folder by its API version and name."""
    return dict(entry for file in folder.glob("*.yaml") for entry in schemas(file))


def schemas(file: Path) -> Iterator[tuple[tuple[str, str], Draft202012Validator]]:
    spec = yaml.load(file.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))["spec"]
    for version in spec["versions"]:
        schema = version["schema"]["openAPIV3Schema"]
        properties = schema["properties"] | {"metadata": {"x-kubernetes-preserve-unknown-fields": True}}
        yield (
            (f"{spec['group']}/{version['name']}", spec["names"]["kind"]),
            Draft202012Validator(strict(schema | {"properties": properties})),
        )


def strict(schema: Any) -> Any:
    """Return a schema that refuses fields it does not name, as the API server does on request."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    found = {name: strict(part) for name, part in schema.items() if name not in ("default", "format")}
    closed = isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema
    if closed and not schema.get("x-kubernetes-preserve-unknown-fields"):
        found["additionalProperties"] = False
    return found
