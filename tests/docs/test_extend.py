"""The files shown in docs/extend.md, taken out of the page and run exactly as they stand."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
    service = subprocess.Popen(
        [sys.executable, "volunteers.py"], cwd=shown, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        called = subprocess.run(
            [sys.executable, "try_volunteers.py"],
            cwd=shown, env=environment, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
    finally:
        service.terminate()
    assert "incident_id" in json.loads(called.stdout)
    assert service.wait(30) == 0
