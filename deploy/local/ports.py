"""Ports for servers that are killed and started again on the same port, while other runs choose theirs."""

import fcntl
import os
import secrets
import socket
from contextlib import closing

from deploy.local.native import cache_root

# Below the range from which the kernel takes ports for outgoing connections: there a client that keeps
# dialling a dead server's port can take it, even connect to itself, and the server never comes back.
LOWEST, HIGHEST = 20000, 32000
_held: list[int] = []


def free_port() -> int:
    """A port on the loopback address that nobody listens on, ours until this process ends."""
    while True:
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)  # `random` is seeded alike in many test runs
        if _reserve(port) and _unused(port):
            return port


def _reserve(port: int) -> bool:
    """False when a run of this user has the port, even if its server is down at the moment."""
    directory = cache_root() / "ports"
    directory.mkdir(exist_ok=True)
    descriptor = os.open(directory / str(port), os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    _held.append(descriptor)
    return True


def _unused(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
