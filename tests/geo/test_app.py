"""Geo does not start on a pack that it cannot use, and says why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pack.packs import small, written

ROOT = Path(__file__).parents[2]


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    """Geo in a process of its own, until it ends."""
    told = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | environment
    return subprocess.run(
        [sys.executable, "-m", "services.geo.app"],
        cwd=ROOT,
        env=told,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_pack_that_cannot_be_used_ends_the_process_with_the_reasons(tmp_path: Path) -> None:
    files = small()
    files["pack.yaml"]["triage_desk"] = "nobody"
    run = start(KAFKA_URL="127.0.0.1:1", PACK_DIR=str(written(tmp_path, files)))
    assert run.returncode == 78
    assert run.stderr.endswith("pack.yaml: triage_desk: nobody is no desk of the pack\n")
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("environment", [{}, {"KAFKA_URL": "nonsense"}])
def test_wrong_settings_end_the_process_with_their_names(environment: dict[str, str]) -> None:
    run = start(**environment)
    assert run.returncode == 78
    assert "KAFKA_URL" in run.stderr
    assert "Traceback" not in run.stderr
