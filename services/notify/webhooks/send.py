"""One attempt to hand one message to one endpoint: signed, bounded in time, to an address judged just now."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import datetime

import httpx

from services.notify.metrics import Trouble
from services.notify.webhooks.config import Endpoint
from services.notify.webhooks.sign import signed_headers
from services.notify.webhooks.ssrf import (
    ForbiddenError,
    Resolve,
    UnresolvedError,
    resolve,
    safe_address,
    target_of,
)

TOTAL_SECONDS = 15.0
"""For a whole attempt, however slowly an endpoint drips."""
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
HEADERS = {"user-agent": "ruamjai-notify", "content-type": "application/cloudevents+json"}
FINAL = frozenset({400, 410, 413, 415, 422})
"""What an endpoint says of the message itself: asking again helps only if its owner mends something."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of it: the status, if there was an answer, and the trouble, unless it was taken."""

    status: int | None
    trouble: Trouble | None = None

    @property
    def final(self) -> bool:
        """Whether the endpoint has judged this one message, not its own state."""
        return self.status in FINAL


class Sender:
    """The way to one endpoint. Each attempt has a connection of its own, to the address judged for it."""

    def __init__(self, endpoint: Endpoint, ask: Resolve = resolve, tls: ssl.SSLContext | None = None) -> None:
        self._endpoint, self._ask = endpoint, ask
        self._tls = tls or ssl.create_default_context()

    async def attempt(self, message_id: str, body: bytes, at: datetime) -> Attempt:
        """Try once, `at` being the present. Never raises for what the endpoint or the network does."""
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                return _judged(await self._post(message_id, body, at))
        except ForbiddenError:
            return Attempt(None, Trouble.FORBIDDEN_ADDRESS)
        except UnresolvedError:
            return Attempt(None, Trouble.UNRESOLVED)
        except (TimeoutError, httpx.TimeoutException):
            return Attempt(None, Trouble.TIMEOUT)
        except (httpx.ConnectError, OSError):
            return Attempt(None, Trouble.CONNECT)
        except (httpx.HTTPError, httpx.InvalidURL):
            return Attempt(None, Trouble.PROTOCOL)

    async def _post(self, message_id: str, body: bytes, at: datetime) -> int:
        """Return the status; whatever else the endpoint says is not read."""
        endpoint = self._endpoint
        target = target_of(endpoint.url, endpoint.allowed)
        address = await safe_address(target, endpoint.allowed, self._ask)
        url = httpx.URL(endpoint.url)
        headers = signed_headers(message_id, at, body, endpoint.secrets) | {"host": url.netloc.decode()}
        pinned = {"sni_hostname": target.host}
        there, headers = url.copy_with(host=address), HEADERS | headers
        async with (
            httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, verify=self._tls) as client,
            client.stream("POST", there, content=body, headers=headers, extensions=pinned) as answer,
        ):
            return answer.status_code


def _judged(status: int) -> Attempt:
    if 200 <= status < 300:
        return Attempt(status)
    if 300 <= status < 400:
        return Attempt(status, Trouble.REDIRECT)
    return Attempt(status, Trouble.REFUSED if status < 500 else Trouble.SERVER_ERROR)
