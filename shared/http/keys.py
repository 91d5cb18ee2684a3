"""API keys: who calls, and what the caller may do. Only digests are stored."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from shared.contracts.kafka import describe
from shared.http.problem import Problem
from shared.settings import ConfigurationError, parse_yaml

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Caller(BaseModel):
    """Whose key it is: `name` as in `officer:somchai` or `agency:rescue`, and what it is for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """The callers by the SHA-256 digest of their key."""

    callers: Mapping[str, Caller]

    def caller(self, authorization: str | None, scope: str) -> Caller:
        """Return who sent the header `Authorization: Bearer <key>`. Raises Problem (401 or 403)."""
        scheme, _, key = (authorization or "").partition(" ")
        found = self.callers.get(hashlib.sha256(key.strip().encode()).hexdigest())
        if scheme.lower() != "bearer" or found is None:
            detail = "send a valid key as Authorization: Bearer <key>"
            raise Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
        if scope not in found.scopes:
            raise Problem(403, "forbidden", f"this key lacks the scope {scope}")
        return found


def load_keys(path: Path | None) -> ApiKeys:
    """Read a YAML mapping of digest to `name` and `scopes`; no file, no keys. Raises ConfigurationError."""
    if path is None:
        return ApiKeys({})
    try:
        found = parse_yaml(path.read_text(encoding="utf-8")) or {}
        return ApiKeys(TypeAdapter(dict[Digest, Caller]).validate_python(found))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"API_KEYS: {path}: {error}") from error
    except ValidationError as error:
        raise ConfigurationError(f"API_KEYS: {path}: {describe(error)}") from None
