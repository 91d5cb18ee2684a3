"""Short runs of `make crash` and `make crash-controls`, in processes of their own as people start them."""

import os
import subprocess
import sys

import pytest

from deploy.local.choose import FORCE, Source
from tests.crash.stage import EXIT_UNAVAILABLE

pytestmark = pytest.mark.slow


def run(*arguments: str) -> str:
    """Run a module of this package; return what it printed, which must end well."""
    if os.environ.get(FORCE) in (Source.EMBEDDED, Source.URL):
        pytest.skip(f"expected: {FORCE} leaves no server that is ours to kill")
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    if done.returncode == EXIT_UNAVAILABLE:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_stream_whose_members_are_killed_and_frozen_loses_and_doubles_nothing() -> None:
    assert "verdict: green" in run("tests.crash", "--short", "--seed", "1")


def test_the_same_checker_goes_red_when_the_dlq_swallows() -> None:
    printed = run("tests.crash.controls", "dlq_swallows")
    assert "every change was found" in printed
