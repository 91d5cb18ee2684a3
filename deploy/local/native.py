"""Kafka, FerretDB and promtool from package registries, so that nothing needs an image registry.

Maven fetches Apache Kafka's jars; Go builds FerretDB, a MongoDB-compatible server, and promtool, which judges
alerting rules; each once per machine.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.unavailable import Unavailable

KAFKA_VERSION = "4.3.0"
FERRETDB_VERSION = "1.24.2"
PROMTOOL_VERSION = "3.16.0"
RECIPES = Path(__file__).parent / "recipes"
BUILD_SECONDS = 900


def kafka_libs() -> Path:
    """The directory of Kafka's jars; the first call downloads them. Raises Unavailable."""
    tools("java", "mvn")
    return cached("kafka", KAFKA_VERSION, _copy_jars)


def ferretdb_binary() -> Path:
    """The server's executable; the first call builds it. Raises Unavailable."""
    tools("go")
    return cached("ferretdb", FERRETDB_VERSION, _build_ferretdb) / "ferretdb"


def promtool_binary(*, build: bool) -> Path:
    """promtool: the installed one, or ours, built if need be and wished for. Raises Unavailable."""
    if installed := shutil.which("promtool"):
        return Path(installed)
    if not (build or place("promtool", PROMTOOL_VERSION).exists()):
        raise Unavailable("promtool is not installed; `make rules` builds it")
    tools("go")
    return cached("promtool", PROMTOOL_VERSION, _build_promtool) / "promtool"


def tools(*names: str) -> None:
    """Raise Unavailable naming those programs that are not on PATH."""
    if missing := [name for name in names if shutil.which(name) is None]:
        raise Unavailable(f"not installed: {', '.join(missing)}")


def cached(name: str, version: str, build: Callable[[Path, Path], object]) -> Path:
    """The result of `build(recipe, result)`, made once per recipe and moved into place when complete."""
    found = place(name, version)
    if not found.exists():
        with _lock(found.with_name(found.name + ".lock")):
            if not found.exists():
                _build_and_move(RECIPES / name, found, build)
    return found


def place(name: str, version: str) -> Path:
    """Where the result of a recipe is, or will be."""
    return cache_root() / f"{name}-{version}-{_digest(RECIPES / name)}"


def cache_root() -> Path:
    """`$RUAMJAI_CACHE` or `~/.cache/ruamjai`, created."""
    root = Path(os.environ.get("RUAMJAI_CACHE") or Path.home() / ".cache" / "ruamjai")
    root.mkdir(parents=True, exist_ok=True)
    return root


def _digest(recipe: Path) -> str:
    files = sorted(path for path in recipe.iterdir() if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:10]


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build_and_move(recipe: Path, place: Path, build: Callable[[Path, Path], object]) -> None:
    with tempfile.TemporaryDirectory(dir=place.parent, prefix="build-") as scratch:
        work, result = Path(scratch, "work"), Path(scratch, "result")
        shutil.copytree(recipe, work)
        result.mkdir()
        build(work, result)
        result.rename(place)


def _copy_jars(work: Path, result: Path) -> None:
    _run(["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={result}"], work)


def _build_ferretdb(work: Path, result: Path) -> None:
    # The recipe pins the version; the go.sum of its many dependencies is left to Go's checksum database.
    environment = os.environ | {"GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
    _run(["go", "build", "-buildvcs=false", "-o", str(result / "ferretdb"), "."], work, environment)


def _build_promtool(work: Path, result: Path) -> None:
    # Without service discovery of clouds, which rules do not need, it takes a fraction of the time.
    environment = os.environ | {"GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
    package = "github.com/prometheus/prometheus/cmd/promtool"
    command = [
        "go",
        "build",
        "-buildvcs=false",
        "-tags",
        "remove_all_sd",
        "-o",
        str(result / "promtool"),
        package,
    ]
    _run(command, work, environment)


def _run(command: list[str], work: Path, environment: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=work,
            env=environment,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{command[0]} took more than {BUILD_SECONDS} s") from error
    if done.returncode:
        output = (done.stdout + done.stderr).strip().splitlines()
        raise Unavailable(f"{' '.join(command[:2])} failed: {' | '.join(output[-3:])}")
