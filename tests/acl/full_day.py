"""The whole day on all four services, each as its own user over TLS, with its own rights and no others."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 300
OWN = ("PATH", "HOME", "LANG", "RUAMJAI_CACHE")


@pytest.mark.timeout(SECONDS + 30)
def test_the_day_ends_as_it_must_when_everybody_has_exactly_its_own_rights() -> None:
    environ = {name: os.environ[name] for name in OWN if name in os.environ} | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "deploy.local.demo", "--once", "--kafka", "secure"]
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["ok"]
    assert (summary["lost"], summary["leaked"], summary["dead_letters"]) == (0, 0, 0)
