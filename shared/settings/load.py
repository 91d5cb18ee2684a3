"""Gathers settings from the environment, secret files and a TOML file, and explains every mistake at once."""

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource, SecretsSettingsSource
from pydantic_settings import SettingsError as SourceError

from shared.settings.errors import ConfigurationError
from shared.settings.model import Settings

SETTINGS_FILE = "RUAMJAI_SETTINGS"
SECRETS_DIR = "RUAMJAI_SECRETS_DIR"
VARIABLES = {name.upper(): field for name, field in Settings.model_fields.items() if name != "service"}


class SettingsError(ConfigurationError):
    """Settings that cannot be used. `problems` maps each variable's name to what is wrong with it."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        lines = [f"  {name} {problem}" for name, problem in self.problems.items()]
        super().__init__("\n".join(["wrong settings:", *lines]))


def load_settings(service: str, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings of `service` (`"dispatch"`) from `environ` (default: the process environment).

    The environment wins over files in RUAMJAI_SECRETS_DIR, these over the TOML file RUAMJAI_SETTINGS.
    An empty variable counts as not set. Raises SettingsError, which names every wrong variable.
    """
    environ = os.environ if environ is None else environ
    values = _toml_file(environ) | _secret_files(environ) | _environment(environ) | {"service": service}
    try:
        return Settings(**values)
    except ValidationError as error:
        problems = dict(_problem(detail) for detail in error.errors() if _is_a_cause(detail))
    raise SettingsError(problems)  # outside the except: the original carries the values, secrets included


def _environment(environ: Mapping[str, str]) -> dict[str, Any]:
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): environ[name] for name in VARIABLES if environ.get(name)}
    return source()


def _secret_files(environ: Mapping[str, str]) -> dict[str, Any]:
    directory = environ.get(SECRETS_DIR)
    if not directory:
        return {}
    if not Path(directory).is_dir():
        raise SettingsError({SECRETS_DIR: "is not a directory. Example: /etc/ruamjai/secrets"})
    try:
        return SecretsSettingsSource(Settings, secrets_dir=directory)()
    except SourceError as error:
        cause = type(error.__cause__).__name__
        raise SettingsError({SECRETS_DIR: f"has a file that cannot be read: {cause}"}) from None


def _toml_file(environ: Mapping[str, str]) -> dict[str, Any]:
    path = environ.get(SETTINGS_FILE)
    if not path:
        return {}
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError({SETTINGS_FILE: f"({path}) cannot be read: {error.strerror}"}) from None
    except ValueError as error:
        raise SettingsError({SETTINGS_FILE: f"({path}) is not a TOML file: {error}"}) from None
    return {name.lower(): value for name, value in values.items()}


def _is_a_cause(detail: ErrorDetails) -> bool:
    """A derived default that could not be derived is a consequence of another error."""
    return detail["type"] != "default_factory_not_called"


def _problem(detail: ErrorDetails) -> tuple[str, str]:
    name = str(detail["loc"][0]).upper()
    if name not in VARIABLES:
        return name, f"is not a setting{_suggestion(name)}"
    return name, f"{_wrong(detail)}. Example: {name}={(VARIABLES[name].examples or [''])[0]}"


def _wrong(detail: ErrorDetails) -> str:
    match detail["type"]:
        case "missing":
            return "is missing"
        case "path_not_file":
            return "does not name a file"
        case "value_error":
            return str(detail["ctx"]["error"])
        case _:
            return detail["msg"].removeprefix("Input ")


def _suggestion(name: str) -> str:
    close = get_close_matches(name, VARIABLES, n=1)
    return f"; did you mean {close[0]}?" if close else ""
