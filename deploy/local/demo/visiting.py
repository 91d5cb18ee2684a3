"""A world that something else has started: containers or pods, on hosts of the services' names."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import httpx

from deploy.local.demo.credentials import read
from deploy.local.demo.day import Day
from deploy.local.demo.world import SERVICES, World, topics_of
from deploy.local.wait import poll

READY_SECONDS = 120.0
API_PORT, HEALTH_PORT = 8000, 8080
HOOK_PORT = 8300
"""Where the services reach the webhook receiver, on the host on which the demonstration runs."""
LOGS = "services.log"
PIECE_BYTES = 64 * 1024
FRESH = "ruamjai_notify_agreements 0.0"


@contextmanager
def visiting(day: Day, folder: Path, credentials: Path, *, logs: bool) -> Iterator[World]:
    """A world whose services are ready. KAFKA_URL and MONGO_URL say where its servers are.

    With `logs` everything that comes in on standard input is what the services log. Raises RuntimeError where
    a day has been played before, TimeoutError where a service does not get ready.
    """
    world = World(
        folder,
        _told("KAFKA_URL").removeprefix("kafka://"),
        _told("MONGO_URL"),
        read(credentials),
        ports=dict.fromkeys(SERVICES, (API_PORT, HEALTH_PORT)),
        hosts={name: name for name in SERVICES},
        prefix="ruamjai_",
        topics=[topic.name for topic, _ in topics_of(day)],
    )
    if logs:
        Thread(target=_keep, args=(folder / LOGS,), daemon=True).start()
    for name in SERVICES:
        poll(lambda name=name: _answers(world, name, "readyz"), READY_SECONDS, f"{name} ready")  # type: ignore[misc]
    if FRESH not in _answers(world, "notify", "metrics"):
        raise RuntimeError("there are agreements already: it takes empty topics and stores")
    yield world


def _told(variable: str) -> str:
    if value := os.environ.get(variable):
        return value
    raise RuntimeError(f"{variable} is not set")


def _answers(world: World, name: str, path: str) -> str:
    """Return what a service says of itself, nothing while it does not answer 200."""
    with suppress(httpx.HTTPError):
        answer = httpx.get(f"{world.health(name)}/{path}", timeout=2)
        return answer.text if answer.is_success else ""
    return ""


def _keep(file: Path) -> None:
    with file.open("wb", buffering=0) as log:
        while piece := os.read(sys.stdin.fileno(), PIECE_BYTES):
            log.write(piece)
