"""The server around an application: answers at once, finishes what is in hand, and ends when told."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from deploy.local.ports import free_port
from shared.http import api, serve
from shared.http.protocol import NO_UPGRADE
from tests.bus.support import until


@asynccontextmanager
async def served(hold: asyncio.Event, begun: asyncio.Event) -> AsyncIterator[tuple[str, asyncio.Task[None]]]:
    """A server with a quick answer and one that waits for `hold`."""
    app, port = api("test", "1"), free_port()

    @app.get("/quick")
    async def quick() -> dict[str, str]:
        return {"a": "b"}

    @app.get("/slow")
    async def slow() -> dict[str, str]:
        begun.set()
        await hold.wait()
        return {"a": "b"}

    task = asyncio.create_task(serve(app, "127.0.0.1", port))
    url = f"http://127.0.0.1:{port}"
    await asyncio.sleep(0)  # it listens from its first step on
    try:
        yield url, task
    finally:
        hold.set()
        if not task.cancelling():
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_answer_is_not_held_back_for_fuller_packets() -> None:
    async with served(asyncio.Event(), asyncio.Event()) as (url, _), httpx.AsyncClient() as client:
        seconds = []
        for _ in range(20):
            started = time.perf_counter()
            assert (await client.get(f"{url}/quick")).status_code == 200
            seconds.append(time.perf_counter() - started)
    assert min(seconds[5:]) < 0.03, "Nagle's algorithm costs 40 ms each"


async def test_what_is_in_hand_is_finished_before_the_server_ends() -> None:
    hold, begun = asyncio.Event(), asyncio.Event()
    async with httpx.AsyncClient() as client:
        async with served(hold, begun) as (url, task):
            asking = asyncio.create_task(client.get(f"{url}/slow"))
            await begun.wait()
            task.cancel()
            await until(lambda: task.cancelling() > 0, "told to end")
            hold.set()
            assert (await asking).status_code == 200
        with pytest.raises(httpx.TransportError):
            await client.get(f"{url}/quick")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /quick?" + b"a" * 2**21,
        b"GET /quick HTTP/1.1\r\nhost: t\r\nlong: " + b"a" * 2**21,
        b"GET /quick HTTP/1.1\r\nhost: t\r\n" + b"more: a\r\n" * 2**18,
        b"POST /quick HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n0\r\n"
        + b"more: a\r\n" * 2**18,
    ],
    ids=["path", "header", "headers", "trailers"],
)
async def test_a_head_that_does_not_end_is_refused(sent: bytes) -> None:
    async with served(asyncio.Event(), asyncio.Event()) as (url, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(sent)
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
        writer.close()


async def test_a_body_is_no_part_of_the_head() -> None:
    async with served(asyncio.Event(), asyncio.Event()) as (url, _), httpx.AsyncClient() as client:
        for _ in range(3):
            assert (await client.post(f"{url}/quick", content=b"a" * 60_000)).status_code == 415


@pytest.mark.parametrize("apart", [False, True], ids=["one segment", "two segments"])
async def test_a_request_that_wants_another_protocol_is_refused_and_its_body_is_no_request(
    apart: bool,
) -> None:
    inner = b"GET /quick HTTP/1.1\r\nhost: t\r\n\r\n"
    head = b"POST /quick HTTP/1.1\r\nhost: t\r\nconnection: upgrade\r\nupgrade: h2c\r\n"
    head += b"content-length: %d\r\n\r\n" % len(inner)
    async with served(asyncio.Event(), asyncio.Event()) as (url, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(head if apart else head + inner)
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
            writer.write(inner if apart else b"")
            rest = await reader.read()
        assert rest.endswith(NO_UPGRADE.encode())
        assert b"HTTP/1.1" not in rest.removesuffix(NO_UPGRADE.encode())
        writer.close()
