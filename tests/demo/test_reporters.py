"""Reporters insist: what was accepted once is answered in the same way, or it is noted as a refusal."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import httpx
import pytest

from deploy.local.demo import reporters as module
from deploy.local.demo.reporters import Reporters
from tests.demo.made import SCENE

Answer = Callable[[asyncio.StreamWriter], None]


def accepted(report_id: str) -> bytes:
    body = f'{{"report_id": "{report_id}"}}'
    return f"HTTP/1.1 202 Accepted\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


async def insisted(*answers: bytes) -> Reporters:
    """What is remembered after a report and as many repeats as there are answers left."""
    left = list(answers)
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        writer.write(left.pop(0) if left else b"")
        writer.close()
        if not left:
            done.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, httpx.AsyncClient(timeout=5) as client:
        found = Reporters(url, client)
        await found.report(SCENE, 0)
        task = asyncio.create_task(found.insist())
        async with asyncio.timeout(10):
            await done.wait()
            while found.repeated + len(found.refused) < len(answers) - 1:
                await asyncio.sleep(0.01)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return found


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.0)


async def test_the_same_answer_again_is_a_repeat() -> None:
    found = await insisted(accepted("r1"), accepted("r1"), accepted("r1"))
    assert found.repeated >= 2
    assert [sent.report_id for sent in found.accepted] == ["r1"]


async def test_another_id_an_error_and_a_closed_connection_are_refusals() -> None:
    found = await insisted(
        accepted("r1"), accepted("r2"), b"HTTP/1.1 503 -\r\nContent-Length: 0\r\n\r\n", b""
    )
    assert len(found.refused) >= 3
    assert found.repeated == 0
