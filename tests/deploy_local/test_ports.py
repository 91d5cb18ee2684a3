"""A port belongs to one run, also while the server behind it is down."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import ports

ROOT = Path(__file__).parents[2]
OTHER_RUN = "from deploy.local import ports; print(ports._reserve(int(__import__('sys').argv[1])))"


def other_run_reserves(port: int) -> str:
    command = [sys.executable, "-c", OTHER_RUN, str(port)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_no_other_run_gets_a_port_whose_server_is_down() -> None:
    assert other_run_reserves(ports.free_port()) == "False"


def test_a_run_never_gets_the_same_port_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "HIGHEST", ports.LOWEST + 50)
    chosen = [ports.free_port() for _ in range(20)]
    assert len(set(chosen)) == 20


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert not ports._unused(port)
    assert ports._unused(port)
