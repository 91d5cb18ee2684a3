"""The files shown in docs/extend.md, taken out of the page and run exactly as they stand."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer

from shared.contracts import encode
from shared.contracts.ids import new_id
from shared.contracts.testing import NOON, an_incident

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extend.md").read_text()
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```python\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", sorted(name for name in FILES if name.startswith("test_")))
def test_the_tests_shown_pass(shown: Path, name: str) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{shown}"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name]
    done = subprocess.run(command, cwd=shown, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_a_whole_service_takes_about_fifteen_lines() -> None:
    lines = [line for line in FILES["volunteers.py"].splitlines() if line.strip()]
    assert len(lines) <= 20
    assert len([line for line in FILES["test_volunteers.py"].splitlines() if line.strip()]) <= 12


@pytest.mark.real_kafka
def test_the_service_shown_runs_on_topics_made_by_the_command_shown(shown: Path, kafka_url: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KAFKA_URL": kafka_url, "HTTP_PORT": "0"}
    options = re.search(r"ruamjai (topics create .*)\n", PAGE)
    assert options is not None
    ruamjai = [sys.executable, "-c", "from shared.cli import main; main()", *options[1].split()]
    subprocess.run(ruamjai, env=environment, check=True, stdout=subprocess.DEVNULL)
    flood = an_incident(category="flood")
    record = encode(
        "incidents", flood.incident_id, flood, id=new_id(), source="/test", time=NOON, traceparent=None
    )
    producer = Producer({"bootstrap.servers": kafka_url})
    producer.produce("incidents", record.value, record.key, headers=dict(record.headers))
    producer.flush(30)
    service = subprocess.Popen(
        [sys.executable, "volunteers.py"], cwd=shown, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        assert flood.incident_id.encode() in _keys_of(
            "volunteers.calls", kafka_url, flood.incident_id.encode()
        )
    finally:
        service.terminate()
    assert service.wait(30) == 0


def _keys_of(topic: str, kafka_url: str, awaited: bytes) -> list[bytes]:
    consumer = Consumer(
        {"bootstrap.servers": kafka_url, "group.id": new_id(), "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    deadline, keys = time.monotonic() + 60, list[bytes]()
    while awaited not in keys and time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            keys.append(bytes(message.key() or b""))
    consumer.close()
    return keys
