"""A connection that is kept open, for one request at a time: cheap, so that we do not measure ourselves."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

HTTP_ERRORS = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and its body."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the body. Raises ValueError when it is not JSON."""
        return json.loads(self.body)


class Connection:
    """Posts JSON to one server by HTTP/1.1; connects when needed, and again after an error."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url} is no http or https URL")
        self._tls = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port or (443 if self._tls else 80)
        self._base, self._authority = parts.path.rstrip("/"), parts.netloc.rpartition("@")[2]
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: bytes, headers: dict[str, str], seconds: float) -> Answer:
        """Return the answer. Raises one of HTTP_ERRORS, or TimeoutError (an OSError) after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                reader, writer = self._streams or await self._connect()
                writer.write(self._head(path, len(body), headers) + body)
                answer = await self._read(reader)
        except BaseException:
            await self.close()
            raise
        return answer

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._streams = await asyncio.open_connection(self._host, self._port, ssl=self._tls or None)
        return self._streams

    def _head(self, path: str, length: int, headers: dict[str, str]) -> bytes:
        all_ = {"Host": self._authority, "Content-Type": "application/json", "Content-Length": str(length)}
        lines = "".join(f"{name}: {value}\r\n" for name, value in (all_ | headers).items())
        return f"POST {self._base}{path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")

    async def _read(self, reader: asyncio.StreamReader) -> Answer:
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection") == "close":
            await self.close()
        return Answer(int(status.split(" ", 2)[1]), body)

    async def close(self) -> None:
        """Close it; the next request opens it again."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()
            with suppress(OSError):
                await streams[1].wait_closed()
