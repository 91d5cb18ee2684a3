"""The program shown in docs/subscribe.md reads a secure Kafka with what an agency is given."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from deploy.local.secure import SecureKafka
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
