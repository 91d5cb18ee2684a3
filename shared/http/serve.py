"""Runs an application on this process's event loop until it is cancelled."""

import asyncio
import logging
import socket

import uvicorn
from starlette.types import ASGIApp

from shared.http.protocol import Bounded
from shared.settings import ConfigurationError

log = logging.getLogger(__name__)
GRACE_SECONDS = 5
IDLE_SECONDS = 75
"""How long an idle connection stays open: longer than proxies in front of us keep theirs, usually a minute,
so that it is never we who close one that a request is on its way through."""


async def serve(app: ASGIApp, host: str, port: int) -> None:
    """Serve `app`; port 0 takes a free one, which is logged. When cancelled, finish what is in hand.

    Raises ConfigurationError when the address cannot be had.
    """
    listening = _listen(host, port)
    # asyncio does this for sockets that name TCP as their protocol; these do not, and answers waited 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    log.info("api started", extra={"api_port": listening.getsockname()[1]})
    config = uvicorn.Config(
        app,
        http=Bounded,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([listening]))
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigurationError(f"API_PORT {port} of {host} cannot be used: {error.strerror}") from None
