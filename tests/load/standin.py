"""Stands in for intake: an HTTP server that answers each request as a test says."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Reply = Callable[[int], Awaitable[str]]
"""From the number of a request to its status; the heads so far are the caller's to look at."""


@asynccontextmanager
async def intake(reply: Reply, heads: list[str] | None = None) -> AsyncIterator[tuple[str, list[str]]]:
    """A server that answers its n-th request as `reply` says, and keeps the heads (in `heads`)."""
    heads = [] if heads is None else heads

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.lower().partition("content-length: ")[2].split("\r\n")[0])
                json.loads(await reader.readexactly(length))
                heads.append(head)
                status = await reply(len(heads))
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads
