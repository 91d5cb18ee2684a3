"""Writes the settings' reference page from the model, so that the page cannot disagree with the code."""

from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from shared.settings.load import SECRETS_DIR, SETTINGS_FILE, VARIABLES

_INTRO = f"""# Settings

Generated from `shared/settings/model.py` by `python -m shared.settings`; do not edit.

Each setting is an environment variable. It may also stand in a file of its own name inside the directory
`{SECRETS_DIR}` (as Kubernetes mounts a Secret), or as `NAME = value` in the TOML file `{SETTINGS_FILE}`.
The environment wins over secret files, secret files win over the TOML file. An empty variable counts as not
set. A service that is told something wrong does not start; it names every wrong variable and shows no value.

| variable | takes | default | example | meaning |
|---|---|---|---|---|
"""

_WORDS = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "Path": "path",
    "SecretStr": "secret text",
    "AwareDatetime": "ISO 8601 instant with offset",
}


def settings_page() -> str:
    """The reference page in Markdown, ending with a newline."""
    return _INTRO + "".join(_row(name, field) for name, field in VARIABLES.items())


def _row(name: str, field: FieldInfo) -> str:
    example = (field.examples or [""])[0]
    cells = [f"`{name}`", _takes(field.annotation), _default(field), f"`{example}`", str(field.description)]
    return f"| {' | '.join(cells)} |\n"


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "derived"
    if field.default is PydanticUndefined:
        return "required"
    return "none" if field.default is None else f"`{field.default}`"


def _takes(annotation: Any) -> str:
    """Unwraps `Annotated[X, ...]` and `X | None` down to a word or the list of choices."""
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(annotation))
    inner = [part for part in get_args(annotation) if part is not NoneType]
    return _takes(inner[0]) if inner else _WORDS[annotation.__name__]
