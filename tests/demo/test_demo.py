"""The demonstration as a newcomer runs it: real processes, embedded broker, SQLite, judged from outside."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 180
OWN = ("PATH", "HOME", "LANG", "RUAMJAI_CACHE")


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 30)
def test_the_demonstration_ends_well_within_three_minutes() -> None:
    environ = {name: os.environ[name] for name in OWN if name in os.environ} | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "deploy.local.demo", "--once"]
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["ok"]
    assert (summary["lost"], summary["leaked"], summary["dead_letters"]) == (0, 0, 0)
    assert 0 < summary["p50_ms"] <= summary["p99_ms"]
