"""A webhook receiver for tests: it answers as it is told and remembers what it got."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network

from services.notify.webhooks.config import Endpoint

LOOPBACK = (ip_network("127.0.0.0/8"),)
SECRET = bytes(range(32))


@dataclass
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers with `statuses`, one after the other, and with 204 when they are used up; 0 answers nothing."""

    statuses: list[int] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    port: int = 0
    hangs: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    def endpoint(self, name: str = "hook", agency: str = "rescue") -> Endpoint:
        """An endpoint of `agency` that leads here."""
        return Endpoint(name, agency, self.url, (SECRET,), LOOPBACK)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.got.append(Got(head[0].split(" ")[1], headers, body))
        status = self.statuses.pop(0) if self.statuses else 204
        if not status:
            await self.hangs.wait()
        place = f"Location: {self.url}/elsewhere\r\n" if 300 <= status < 400 else ""
        writer.write(f"HTTP/1.1 {status or 500} X\r\n{place}Content-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def receiving(*statuses: int) -> AsyncIterator[Receiver]:
    """A receiver that listens on a free port of the loopback interface."""
    receiver = Receiver(list(statuses))
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
        receiver.hangs.set()
