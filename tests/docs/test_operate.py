"""The commands shown in docs/operate.md, in their order: no topic is missing, and the walk ends well."""

import os
import re
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.local.choose import started
from deploy.local.kafka import native_kafka
from deploy.local.ports import free_port
from deploy.local.unavailable import Unavailable
from services.dispatch.app import build as dispatch
from services.geo.app import build as geo
from services.intake.app import build as intake
from services.notify.app import notify
from shared.bus.admin import topics
from shared.pack import load_pack
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
WALK = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
SECONDS = 120
RUAMJAI = (
    "from shared.cli import main; from services.notify.cli import agreements; "
    "main.add_command(agreements); main()"
)


def installed(folder: Path) -> str:
    """A directory with the commands that an installed package brings, as a search path."""
    commands = {"python": [sys.executable], "ruamjai": [sys.executable, "-c", RUAMJAI]}
    folder.mkdir()
    for name, command in commands.items():
        (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def run(walk: str, folder: Path, environ: dict[str, str]) -> tuple[int, str]:
    """Let bash do what is shown; return how it ended and what it said. Nothing it started outlives it."""
    with (folder / "said").open("w+") as said:
        shell = subprocess.Popen(
            ["bash", "-eu", "-c", walk],
            cwd=folder,
            env=environ,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = shell.wait(SECONDS)
        except subprocess.TimeoutExpired:
            code = -1
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
    return code, (folder / "said").read_text()


def test_the_topics_shown_are_those_of_every_group_and_agency() -> None:
    shown = re.search(r"ruamjai topics create ((?:.*\\\n)*.*)\n", WALK)
    assert shown is not None
    told = topics.commands["create"].make_context("create", shlex.split(shown[1].replace("\\\n", " "))).params
    settings = Settings(service="notify", kafka_url="h:1", store_url="sqlite:///:memory:")
    services = [intake(), geo(settings), dispatch(settings), notify(settings)]
    groups = {s.group: {t.name for t in s.topics} for service in services for s in service.subscriptions}
    assert {group: {t.name for t in inputs} for group, inputs in told["groups"].items()} == groups
    assert {*told["agencies"]} == {desk.agency for desk in load_pack(None).desks}


@pytest.mark.slow
@pytest.mark.real_kafka
@pytest.mark.timeout(SECONDS + 60)
def test_the_walk_from_nothing_to_the_first_incident_ends_well(tmp_path: Path) -> None:
    try:
        kafka = started(native_kafka(tmp_path / "kafka"))
    except Unavailable as reason:
        pytest.skip(f"needs a Kafka of its own: {reason}")
    walk = WALK
    for port in sorted({*re.findall(r"\b8[12]0[1-4]\b", WALK)}):
        walk = walk.replace(port, str(free_port()))
    folder = tmp_path / "walk"
    folder.mkdir()
    path = installed(tmp_path / "bin")
    environ = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "KAFKA_URL": kafka.url}
    try:
        code, said = run(walk, folder, environ)
    finally:
        kafka.close()
    assert code == 0, said
    assert "published  mou-ems" in said
    assert '"status":"linked"' in said
    assert ".dlq" not in said.partition("ruamjai_notify_shared_total{")[2]
