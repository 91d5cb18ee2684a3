"""Says what a change of the contract breaks: adding an optional field is allowed, anything else is not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
ANNOTATIONS = {"$schema", "$defs", "$ref", "title", "description", "examples"}
SUBSCHEMAS = {"items", "additionalProperties", "contains"}
SUBSCHEMA_LISTS = {"anyOf", "allOf", "oneOf", "prefixItems"}
MAY_GROW = {"default", "x-record-keys"}
FIELDS = {"properties", "required"}


def breaking_changes(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> list[str]:
    """Return every change from contract `old` to `new` that breaks an old consumer or an old message.

    Both map an event type to its JSON Schema. Both directions count: a bound that is loosened breaks the
    consumer that still checks the tighter one. An empty list means that only optional fields, types and
    topics were added.
    """
    problems: list[str] = []
    for name in sorted(old):
        if name in new:
            problems += _Comparison(old[name], new[name]).of(old[name], new[name], name)
        else:
            problems.append(f"{name}: the type is gone")
    return problems


@dataclass(frozen=True)
class _Comparison:
    """One old and one new document, in which references are looked up."""

    old_root: Schema
    new_root: Schema

    def of(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        old, new = _resolved(old, self.old_root), _resolved(new, self.new_root)
        yield from self._fields(old, new, where)
        for keyword in sorted((old.keys() | new.keys()) - ANNOTATIONS - FIELDS):
            yield from self._keyword(keyword, old.get(keyword), new.get(keyword), where)

    def _fields(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        must_before, must_after = set(old.get("required", ())), set(new.get("required", ()))
        yield from (f"{where}.{name}: the field is gone" for name in before if name not in after)
        yield from (f"{where}.{name}: the field is required now" for name in sorted(must_after - must_before))
        yield from (
            f"{where}.{name}: the field is optional now, an old consumer requires it"
            for name in sorted(must_before - must_after)
            if name in after
        )
        for name in before.keys() & after.keys():
            yield from self.of(before[name], after[name], f"{where}.{name}")

    def _keyword(self, keyword: str, old: Any, new: Any, where: str) -> Iterator[str]:
        if old == new and keyword not in SUBSCHEMAS | SUBSCHEMA_LISTS:
            return
        if keyword in SUBSCHEMAS and isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from self.of(old, new, f"{where}[]")
        elif keyword in SUBSCHEMA_LISTS and old and new and len(old) == len(new):
            for number, pair in enumerate(zip(old, new, strict=True)):
                yield from self.of(*pair, f"{where}|{number}")
        elif not (keyword in MAY_GROW and _grown(old, new)):
            yield f"{where}: {keyword} changed from {old!r} to {new!r}"


def _grown(old: Any, new: Any) -> bool:
    """Whether `new` says all that `old` says, and perhaps more."""
    return isinstance(old, Mapping) and isinstance(new, Mapping) and {**new, **old} == new


def _resolved(schema: Schema, root: Schema) -> Schema:
    """Return `schema` with its reference, if any, looked up in `root`; what stands beside it wins."""
    if "$ref" not in schema:
        return schema
    return {**root["$defs"][schema["$ref"].rpartition("/")[2]], **schema}
