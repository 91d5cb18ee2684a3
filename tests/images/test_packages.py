"""Each image holds exactly the packages that its code imports: none is missing, none is carried along."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OURS = ("shared", "services")
SERVICES = ("intake", "geo", "dispatch", "notify")
NEVER_NAMED = {"cramjam", "httptools", "sniffio"}
"""aiokafka, uvicorn and httpx import them; httpx looks for sniffio at every request, eight times."""
IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def declared(extra: str | None = None) -> set[str]:
    """The direct requirements of all services, or of one extra, as normalised names."""
    lines = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    return {normal(re.split(r"[\[><=, ]", line)[0]) for line in lines}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that a file imports, wherever in the file, but for the type checker alone."""
    tree = ast.parse(path.read_text())
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def reached(service: str) -> dict[str, Path]:
    """Our modules that a service's process may import, by name."""
    pending = [f"services.{service}.app"]
    found: dict[str, Path] = {}
    while pending:
        name = pending.pop()
        if name in found or not name.startswith(OURS) or not (path := path_of(name)):
            continue
        found[name] = path
        pending += [*imports(path), *parents(name)]
    return found


def parents(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def path_of(module: str) -> Path | None:
    """The file of one of our modules; None for a name that is something in a module."""
    base = ROOT / module.replace(".", "/")
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.exists()), None)


def needed(service: str) -> set[str]:
    """The distributions that a service's code imports by name."""
    names = {name for path in reached(service).values() for name in imports(path)}
    tops = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
    distributions = packages_distributions()
    return {normal(found) for top in tops for found in distributions.get(top, ())}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_declares_what_it_imports_and_nothing_else(service: str) -> None:
    assert declared(service) - NEVER_NAMED <= needed(service), "carried along"
    assert needed(service) & every_extra() <= declared(service), "missing"


def every_extra() -> set[str]:
    return {name for extra in PROJECT["optional-dependencies"] for name in declared(extra)} - declared()


def test_what_all_services_get_is_what_each_of_them_imports() -> None:
    for service in SERVICES:
        assert declared() - NEVER_NAMED <= needed(service), service


@pytest.mark.parametrize("service", SERVICES)
def test_every_module_of_a_service_can_be_imported_with_its_locked_packages_alone(
    service: str, tmp_path: Path
) -> None:
    imported_with(["--extra", service], reached(service), tmp_path)


def test_the_command_and_the_demonstration_can_be_imported_with_theirs(tmp_path: Path) -> None:
    brought = [value.partition(":")[0] for value in PROJECT["entry-points"]["ruamjai.commands"].values()]
    command = ["shared.cli", *brought, "shared.pack.jurisdiction", "shared.pack.index"]
    imported_with(["--extra", "cli"], command, tmp_path / "cli")
    imported_with(["--extra", "cli", "--group", "demo"], ["deploy.local.demo.__main__"], tmp_path / "demo")


def imported_with(part: Sequence[str], modules: Iterable[str], folder: Path) -> None:
    """Import modules in an environment that holds one part of the lock file and nothing else."""
    uv = shutil.which("uv", path=f"{ROOT / '.uv/bin'}{os.pathsep}{os.environ['PATH']}")
    assert uv, "make setup brings uv"
    environ = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(folder), "PYTHONPATH": str(ROOT)}
    sync = ["sync", "--frozen", "--quiet", "--no-dev", "--no-install-project", *part]
    subprocess.run([uv, *sync, "--python", sys.executable], cwd=ROOT, env=environ, check=True)
    command = [str(folder / "bin/python"), "-W", "error", "-c", IMPORT_ALL, *modules]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
