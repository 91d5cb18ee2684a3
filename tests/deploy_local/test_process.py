"""A server process obeys, and never outlives the run that started it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from deploy.local.process import ServerProcess
from deploy.local.wait import poll

PARENT = """
import sys, pathlib
from deploy.local.process import ServerProcess
server = ServerProcess(["sleep", "600"], pathlib.Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(["sleep", "600"], tmp_path / "log")
    process.start()
    yield process
    process.close()


def ended(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def test_a_killed_run_leaves_no_server_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        server = psutil.Process(int(parent.stdout.readline()))
        poll(lambda: server.name() == "sleep", 5, "the server runs")
        parent.kill()
    poll(lambda: ended(server), 5, "the server ended with its parent")


def test_a_run_that_ends_takes_its_servers_with_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=True)
    assert not psutil.pid_exists(int(done.stdout))


def test_a_frozen_process_can_be_stopped(server: ServerProcess) -> None:
    server.pause()
    server.stop()
    assert not server.running


def test_starting_twice_keeps_the_process(server: ServerProcess) -> None:
    first = server.pid
    server.start()
    assert server.pid == first


def test_a_killed_process_can_be_killed_again(server: ServerProcess) -> None:
    server.kill()
    server.kill()
    assert not server.running


def test_the_log_tells_why_a_server_ended(tmp_path: Path) -> None:
    process = ServerProcess(["sh", "-c", "echo port in use; exit 1"], tmp_path / "log")
    process.start()
    poll(lambda: not process.running, 5, "it ended")
    assert process.last_words() == "port in use"


def test_a_process_can_have_an_environment_of_its_own(tmp_path: Path) -> None:
    process = ServerProcess(["/usr/bin/env"], tmp_path / "log", {"ONLY": "this"})
    process.start()
    poll(lambda: not process.running, 5, "it ended")
    assert "ONLY=this" in process.last_words()
    assert "HOME=" not in process.last_words()
