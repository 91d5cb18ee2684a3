"""`make servers SECURE=1`: a file for every user makes a shell that user, with its rights and no others."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUAMJAI = "from shared.cli import main; main()"


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of these files while the servers run; afterwards they must have ended well."""
    data = tmp_path_factory.mktemp("data")
    command = [sys.executable, "-m", "deploy.local.servers", "--secure", "--no-mongo", "--data", str(data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            said = [*takewhile(lambda line: "Ctrl-C" not in line, process.stdout)]
            assert any(line.startswith("export KAFKA_SASL_PASSWORD=") for line in said)
            yield data / "kafka" / "users"
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()


def create_topics(file: Path) -> subprocess.CompletedProcess[str]:
    """Let a shell that has read `file` create an agency's topics."""
    create = shlex.join([sys.executable, "-c", RUAMJAI, "topics", "create", "--replication", "1"])
    shell = f'. "{file}"; exec {create} --agency rescue'
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return subprocess.run(["sh", "-c", shell], env=environ, capture_output=True, text=True, check=False)


def test_there_is_a_way_in_by_password_and_one_by_certificate_for_everybody(users: Path) -> None:
    names = {file.name.partition(".")[0] for file in users.glob("*.env")}
    assert {"intake", "geo", "dispatch", "notify", "operator", "probe", "agency-rescue", "admin"} <= names
    assert {f"{name}.env" for name in names} | {f"{name}.mtls.env" for name in names} == {
        file.name for file in users.glob("*.env")
    }
    assert not [file for file in users.iterdir() if file.stat().st_mode & 0o077]


@pytest.mark.parametrize("way", ["env", "mtls.env"])
def test_the_operator_creates_topics_and_an_agency_does_not(users: Path, way: str) -> None:
    done = create_topics(users / f"operator.{way}")
    assert done.returncode == 0, done.stderr
    assert "agency.rescue.incidents" in done.stdout
    refused = create_topics(users / f"agency-rescue.{way}")
    assert refused.returncode == 1
    assert "authoriz" in refused.stderr.lower()
