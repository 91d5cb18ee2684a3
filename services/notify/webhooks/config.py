"""Webhook endpoints as operators write them; a secret is named here and kept elsewhere."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.notify.webhooks.sign import secret_of
from services.notify.webhooks.ssrf import ForbiddenError, Network, judge_now, target_of
from shared.contracts.kafka import describe
from shared.contracts.values import AgencyCode
from shared.settings import ConfigurationError, parse_yaml

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Url = Annotated[str, StringConstraints(max_length=2_000)]


class EndpointsError(ConfigurationError):
    """A file that cannot be used. `problems` are lines of `file: field: reason`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(["the webhooks cannot be used:", *problems]))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one agency wants its events sent. `secrets` sign, the newest first; `allowed` is for tests."""

    name: str
    agency: str
    url: str
    secrets: tuple[bytes, ...]
    allowed: tuple[Network, ...] = ()


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _Secret(_Part):
    """Where a secret is: in a file or in an environment variable, never here."""

    file: Path | None = None
    env: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")] | None = None

    def read(self, folder: Path, environ: Mapping[str, str]) -> bytes:
        if (self.file is None) == (self.env is None):
            raise ValueError("name either a file or an env")
        if self.env is not None:
            return secret_of(environ.get(self.env, ""))
        try:
            return secret_of((folder / str(self.file)).read_text(encoding="ascii"))
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"cannot be read: {type(error).__name__}") from None


class _Endpoint(_Part):
    agency: AgencyCode
    url: Url
    secrets: Annotated[tuple[_Secret, ...], Field(min_length=1, max_length=3)]


class _File(_Part):
    endpoints: dict[Name, _Endpoint]
    allowed_networks: tuple[IPv4Network | IPv6Network, ...] = ()


def load_endpoints(path: Path | None, environ: Mapping[str, str] = os.environ) -> list[Endpoint]:
    """Return the endpoints in the YAML file `path`, none without one. Raises EndpointsError."""
    if path is None:
        return []
    file, problems = _read(path), list[str]()
    found = [_endpoint(name, file, path, environ, problems) for name in sorted(file.endpoints)]
    if problems:
        raise EndpointsError(problems)
    return found


def named_endpoints(path: Path | None) -> list[Endpoint]:
    """Return the endpoints without their secrets, to know which there are. Raises EndpointsError."""
    if path is None:
        return []
    return [Endpoint(name, e.agency, e.url, ()) for name, e in sorted(_read(path).endpoints.items())]


def _read(path: Path) -> _File:
    try:
        return _File.model_validate(parse_yaml(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise EndpointsError([f"{path.name}: file: cannot be read: {type(error).__name__}"]) from None
    except ValidationError as error:
        raise EndpointsError([f"{path.name}: {describe(error)}"]) from None


def _endpoint(
    name: str, file: _File, path: Path, environ: Mapping[str, str], problems: list[str]
) -> Endpoint:
    given, secrets = file.endpoints[name], list[bytes]()
    where = f"{path.name}: endpoints.{name}"
    try:
        judge_now(target_of(given.url, file.allowed_networks), file.allowed_networks)
    except ForbiddenError as error:
        problems.append(f"{where}.url: {error}")
    for n, secret in enumerate(given.secrets):
        try:
            secrets.append(secret.read(path.parent, environ))
        except ValueError as error:
            problems.append(f"{where}.secrets.{n}: {error}")
    return Endpoint(name, given.agency, given.url, tuple(secrets), file.allowed_networks)
