"""A test that was not run is told, and in CI it fails the run unless that was expected."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(directory: Path, body: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run pytest, with this project's hooks and fixtures, on one file with that body."""
    file = directory / "test_sample.py"
    file.write_text(f"import pytest\n{body}\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.conftest",
        "-c",
        str(ROOT / "pyproject.toml"),
    ]
    inherited = {name: value for name, value in os.environ.items() if name not in {"CI", "RUAMJAI_SERVERS"}}
    return subprocess.run(
        [*command, str(file)],
        cwd=ROOT,
        env=inherited | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unexpected_skip_fails_the_run_in_ci(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_it(): pytest.skip('no java')", CI="true")
    assert done.returncode == 1
    assert "test_it: no java" in done.stdout


def test_the_same_skip_is_only_told_on_a_developers_machine(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_it(): pytest.skip('no java')")
    assert done.returncode == 0
    assert "would fail in CI" in done.stdout


def test_an_expected_skip_passes_in_ci(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_it(): pytest.skip('expected: no Docker engine')", CI="true")
    assert done.returncode == 0
    assert "expected: no Docker engine" in done.stdout


def test_a_module_skipped_at_collection_counts_too(tmp_path: Path) -> None:
    done = run(tmp_path, "pytest.skip('no java', allow_module_level=True)", CI="true")
    assert done.returncode != 0


def test_a_run_of_pure_tests_needs_no_server(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_it(): pass", RUAMJAI_SERVERS="url", KAFKA_URL="", MONGO_URL="")
    assert done.returncode == 0


def test_real_kafka_is_skipped_as_expected_when_the_embedded_broker_was_asked_for(tmp_path: Path) -> None:
    body = "@pytest.mark.real_kafka\ndef test_it(): assert False"
    done = run(tmp_path, body, CI="true", RUAMJAI_SERVERS="embedded")
    assert done.returncode == 0
    assert "expected: needs a real Kafka" in done.stdout


def test_real_kafka_fails_the_run_in_ci_when_the_machine_has_none(tmp_path: Path) -> None:
    body = "@pytest.mark.real_kafka\ndef test_it(): assert False"
    done = run(
        tmp_path, body, CI="true", PATH="/nonexistent", DOCKER_HOST="unix:///nonexistent", KAFKA_URL=""
    )
    assert done.returncode == 1
    assert "not installed: java, mvn" in done.stdout


def test_a_server_that_is_not_ours_is_used_but_not_killed(tmp_path: Path) -> None:
    body = "def test_url(kafka_url): assert kafka_url == 'a:1'\ndef test_kill(kafka): kafka.kill()"
    done = run(tmp_path, body, CI="true", KAFKA_URL="a:1")
    assert done.returncode == 0
    assert "1 passed, 1 skipped" in done.stdout
