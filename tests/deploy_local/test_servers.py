"""`make servers` prints settings a shell can read, and takes its servers with it when it ends."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import pytest
from pymongo import MongoClient

from deploy.local.kafka_server import KafkaServer
from deploy.local.servers import main
from deploy.local.store import MongoServer, answers

ROOT = Path(__file__).parents[2]


@contextmanager
def servers(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The running command and the variables it printed."""
    command = [sys.executable, "-m", "deploy.local.servers", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        before_ready = takewhile(lambda line: "Ctrl-C" not in line, process.stdout)
        exports = [line.strip().split(" ", 1)[1] for line in before_ready if line.startswith("export ")]
        try:
            yield process, dict(export.split("=", 1) for export in exports)
        finally:
            process.kill()


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_the_embedded_broker_answers_until_told_to_end(told: signal.Signals) -> None:
    with servers("--embedded") as (process, exports):
        assert list(exports) == ["KAFKA_URL"]
        kafka = KafkaServer(exports["KAFKA_URL"])
        assert kafka.brokers() == {0}
        process.send_signal(told)
        assert process.wait(10) == 0
        assert kafka.brokers() == set()


@pytest.mark.real_mongo
def test_data_in_a_directory_is_there_the_next_time(tmp_path: Path, mongo_server: MongoServer) -> None:
    for found in (0, 1):
        with servers("--no-kafka", "--data", str(tmp_path)) as (process, exports):
            with MongoClient[dict[str, int]](exports["MONGO_URL"]) as client:
                assert client.test.documents.count_documents({}) == found
                client.test.documents.insert_one({"_id": found})
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        assert not answers(exports["MONGO_URL"])


def test_a_source_that_is_not_there_is_explained(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.local.servers", "--secure"]
    environment = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "not installed: java, mvn" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        (["--user", "a:b"], "--user and --agreements go with --secure"),
        (["--secure", "--user", "a"], "expected NAME:PASSWORD"),
        (["--embedded", "--brokers", "3"], "--embedded is one broker"),
        (["--brokers", "2"], "invalid choice"),
    ],
)
def test_a_mistaken_option_is_explained(
    arguments: list[str], mistake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert mistake in capsys.readouterr().err
