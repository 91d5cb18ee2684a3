"""A TCP proxy that loses an answer, holds an insert while something happens, or hides the primary."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Self
from urllib.parse import urlsplit

from tests.store.helpers import with_options

WRITABLE = b"\x08isWritablePrimary\x00"  # BSON: a boolean field, true or false in the byte that follows
INSERT = b"\x02insert\x00"  # BSON: a string field of that name, the first of an insert command
HEADER_BYTES = 4  # a message of the MongoDB wire protocol begins with its length


class TamperingProxy:
    """Stands before the server of a MongoDB URL; `url` leads through it. `read_only`: it may not write."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._upstream = (parts.hostname or "", parts.port or 27017)
        self._parts = parts
        self._connections: dict[asyncio.Task[Any], tuple[asyncio.StreamWriter, ...]] = {}
        self._armed = False
        self.lost = 0
        self.read_only = False
        self.before_next_insert: Callable[[], Awaitable[None]] | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        url = self._parts._replace(netloc=f"127.0.0.1:{port}").geturl()
        self.url = with_options(
            url, "directConnection=true&serverMonitoringMode=poll"
        )  # one answer a request
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task, ends in self._connections.items():
            for end in ends:
                end.close()
            await asyncio.wait([task])

    def lose_answer_to_next_insert(self) -> None:
        """Cut the connection when the server answers the next insert."""
        self._armed = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection(*self._upstream)
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = (writer, requests)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self._exchange(reader, requests, answers, writer):
                pass
        for end in (writer, requests):
            end.close()
            with suppress(ConnectionError):
                await end.wait_closed()

    async def _exchange(
        self,
        reader: asyncio.StreamReader,
        requests: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Pass on one request and its answer; False when that answer is the one to lose."""
        request = await message(reader)
        doomed = self._armed and INSERT in request
        self._armed = self._armed and not doomed
        if INSERT in request and (meanwhile := self.before_next_insert):
            self.before_next_insert = None
            await meanwhile()
        requests.write(request)
        answer = await message(answers)
        if self.read_only:
            answer = answer.replace(WRITABLE + b"\x01", WRITABLE + b"\x00")
        if doomed:
            self.lost += 1
            return False
        writer.write(answer)
        return True


async def message(reader: asyncio.StreamReader) -> bytes:
    """One whole message of the wire protocol."""
    header = await reader.readexactly(HEADER_BYTES)
    return header + await reader.readexactly(int.from_bytes(header, "little") - HEADER_BYTES)
