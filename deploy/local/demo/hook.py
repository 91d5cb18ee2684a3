"""A partner's webhook receiver: it fails for a while, then takes only what is rightly signed."""

import asyncio
import hmac
import json
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any


@dataclass
class Hook:
    """Answers 503 `failures` times, then 204; `got` are the events that it took, in order."""

    failures: int
    secret: bytes = b""
    failed: int = 0
    forged: int = 0
    got: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        status = self.take(headers, body)
        writer.write(f"HTTP/1.1 {status} -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Return the status for a request."""
        self.bodies.append(body)
        if self.failed < self.failures:
            self.failed += 1
            return 503
        if not self._signed(headers, body):
            self.forged += 1
            return 401
        event = json.loads(body)
        if event["id"] not in {taken["id"] for taken in self.got}:
            self.got.append(event)
        return 204

    def _signed(self, headers: dict[str, str], body: bytes) -> bool:
        """Whether one of the signatures is ours (Standard Webhooks 1.0.0)."""
        signed = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + body
        mac = b64encode(hmac.digest(self.secret, signed, sha256)).decode()
        return f"v1,{mac}" in headers.get("webhook-signature", "").split()
