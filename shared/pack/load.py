"""Reads `pack.yaml` and says everything that is wrong with it at once."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml
from pydantic import ValidationError

from shared.pack.files import lines_of, read_bytes
from shared.pack.model import Pack
from shared.settings import ConfigurationError

DEMO = Path(__file__).with_name("phetchabun")
FILE = "pack.yaml"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEEPEST = 20
"""Lists and mappings within each other; a pack has five."""
"""The one in C, where there is one: the desks of a country are two megabytes."""


class PackError(ConfigurationError):
    """A pack that cannot be used. `problems` are lines of `file: place: reason`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(["the pack cannot be used:", *problems]))
        self.problems = problems


def load_pack(folder: Path | None = None) -> Pack:
    """Return the pack in `folder`, the demonstration pack without one. Raises PackError."""
    pack, problems = read_pack(folder or DEMO)
    if pack is None or problems:
        raise PackError(problems)
    return pack


def read_pack(folder: Path) -> tuple[Pack | None, list[str]]:
    """Return what `pack.yaml` in `folder` says, as far as it can be read, and what is wrong with it."""
    try:
        pack = Pack.model_validate(parsed(read_bytes(folder / FILE)))
    except ValidationError as error:
        return None, [f"{FILE}: {line}" for line in lines_of(error)]
    except (OSError, ValueError) as error:
        return None, [f"{FILE}: {error}"]
    return pack, [f"{FILE}: {problem}" for problem in _contradictions(pack)]


def parsed(content: bytes) -> object:
    """Return what the YAML says. Raises ValueError."""
    try:
        _check_depth(content)
        return yaml.load(content, LOADER)  # noqa: S506  (either is the safe one)
    except Exception as error:
        raise ValueError(f"it cannot be read as YAML: {str(error) or type(error).__name__}") from error


def _check_depth(content: bytes) -> None:
    """Refuse what is nested so deep that building it would overflow the stack of the parser, which is C."""
    depth = 0
    for event in yaml.parse(content, LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} deep")


def _contradictions(pack: Pack) -> Iterator[str]:
    codes = [desk.code for desk in pack.desks]
    names = [*(f"desks: {c}" for c in codes), *(f"units: {u.id}" for u in pack.units)]
    names += [f"zones: {z.id}" for z in pack.zones]
    yield from (f"{name}: there are {count} of it" for name, count in Counter(names).items() if count > 1)
    if pack.triage_desk not in codes:
        yield f"triage_desk: {pack.triage_desk} is no desk of the pack"
    for unit in pack.units:
        if unit.desk not in codes:
            yield f"units: {unit.id}: {unit.desk} is no desk of the pack"
    for desk in pack.desks:
        if desk.partner is not None and desk.partner not in codes:
            yield f"desks: {desk.code}: its partner {desk.partner} is no desk of the pack"
    roles = {desk.role for desk in pack.desks}
    for category, responses in {**pack.responses, "default_response": pack.default_response}.items():
        for response in responses:
            if response.role not in roles:
                yield f"responses: {category}: no desk has the role {response.role}"
