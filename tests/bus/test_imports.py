"""Importing the kernel does nothing: no connection, thread, task, log handler or changed library."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in [*(ROOT / "shared/bus").glob("*.py"), ROOT / "shared/cli.py"]
)
PROBE = """
import logging, socket, sys, threading
def refuse(*_): raise AssertionError("a connection at import")
socket.socket.connect = refuse
from aiokafka.consumer import fetcher
before = fetcher.MemoryRecords
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
    assert threading.active_count() == 1, f"{name} starts a thread"
    assert not logging.getLogger().handlers, f"{name} configures logging"
    assert fetcher.MemoryRecords is before, f"{name} changes aiokafka"
"""


def test_every_kernel_module_can_be_imported_without_side_effects() -> None:
    run = subprocess.run([sys.executable, "-c", PROBE, *MODULES], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout + run.stderr == ""


@pytest.mark.parametrize("module", ["shared.bus.runtime", "shared.bus.journal"])
def test_a_module_can_be_the_first_one_imported(module: str) -> None:
    run = subprocess.run([sys.executable, "-c", f"import {module}"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
