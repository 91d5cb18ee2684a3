"""The program shown in docs/subscribe.md reads a secure Kafka; `make acl-test` runs all there is."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.secure import SecureKafka
from tests.acl.__main__ import files
from tests.acl.clients import SECONDS, send
from tests.demo.test_subscribe import PAGE, on_the_wire, told

pytestmark = pytest.mark.real_kafka


@pytest.mark.parametrize("way", ["password", "certificate"])
async def test_the_program_shown_gets_in_by(way: str, secure: SecureKafka, tmp_path: Path) -> None:
    user = "agency-ems"
    access = secure.access(user) if way == "password" else secure.certified(user)
    await send(secure.access("notify"), on_the_wire("ems", told("ems", 1)))
    shown = re.search(r"<!-- file: follow.py -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    (tmp_path / "follow.py").write_text(shown[1].replace(".console", f".{way}"))
    environ = {**os.environ, **access.environment()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(tmp_path / "follow.py"), "ems", env=environ, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SECONDS):
            line = (await process.stdout.readline()).decode()
    finally:
        process.kill()
        await process.wait()
    assert line.startswith("inc-1 1")


def test_the_command_collects_the_long_tests_too() -> None:
    command = [sys.executable, "-m", "tests.acl", "--collect-only", "-q"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert {line.split("::")[0].split("/")[-1] for line in listed.splitlines() if "::" in line} == {
        file.name for file in files()
    }
