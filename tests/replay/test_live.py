"""The command as operators type it, on the four services: what is played becomes incidents, once."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.local.demo.day import Partner
from deploy.local.demo.running import running
from deploy.local.demo.world import World
from tests.replay.support import NOON, a_line, a_script

ROOT = Path(__file__).parents[2]
RATE = 20.0
RUAMJAI = (
    "from shared.cli import main as m; from deploy.local.replay.cli import replay; m.add_command(replay); m()"
)


@dataclass(frozen=True)
class Nobody:
    """No partner follows."""

    partners: tuple[Partner, ...] = ()
    hooked: str | None = None


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The four services on an embedded broker, twenty times as fast as real time."""
    for name in ("KAFKA_URL", "MONGO_URL"):
        monkeypatch.delenv(name, raising=False)
    clock = {"CLOCK_ANCHOR": datetime.now(UTC).isoformat(), "CLOCK_START": NOON.isoformat()}
    with running(Nobody(), tmp_path, 0, None, extra={"CLOCK_RATE": str(RATE), **clock}) as found:
        yield found


def ruamjai_replay(world: World, file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run it with the settings of the world."""
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "KAFKA_URL": world.kafka,
        "CLOCK_RATE": str(RATE),
        "INTAKE_URL": world.api("intake"),
        "REPORTS_KEY": world.credentials.keys["sensor:river-gauge"],
    }
    command = [sys.executable, "-c", RUAMJAI, "replay", str(file), *options]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=90)


def summary(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The last line."""
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_a_file_is_played_once_however_often_it_is_started(world: World, tmp_path: Path) -> None:
    brawl = "วัยรุ่นตีกันหน้าตลาดสด"
    lines = [a_line(0, text=brawl, category="brawl"), "{", a_line(20, text="เปิดเพลงเสียงดัง", category="noise")]
    file = a_script(tmp_path, *lines, a_line(40, text=brawl, category="brawl")).path

    refused = ruamjai_replay(world, file)
    assert refused.returncode == 1
    assert "line 2: it is no JSON" in refused.stderr
    assert "nothing was sent" in refused.stderr

    played = ruamjai_replay(world, file, "--skip-bad")
    found = summary(played)
    assert played.returncode == 1, "a bad line is no success"
    assert (found["accepted"], found["rejected"], found["bad_lines"]) == (3, 0, 1)
    assert (found["incidents"], found["linked"], found["lost"]) == (2, 1, 0)
    assert "3 reports lie in no area of the pack" not in played.stderr

    state = file.with_name(file.name + ".replay")
    cut = state.read_text(encoding="utf-8").splitlines(keepends=True)
    state.write_text("".join(cut[:-1]), encoding="utf-8")  # as if it had died before noting the last answer
    again = summary(ruamjai_replay(world, file, "--skip-bad"))
    assert (again["accepted"], again["incidents"], again["linked"], again["lost"]) == (3, 2, 1, 0)
