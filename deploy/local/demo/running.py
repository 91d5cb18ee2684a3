"""A world that is started here: servers, topics, credentials and the four services, all made afresh."""

import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import httpx

from deploy.local.choose import Source, started
from deploy.local.cluster import KafkaCluster
from deploy.local.demo.credentials import made
from deploy.local.demo.day import Cast
from deploy.local.demo.users import users_of
from deploy.local.demo.world import KEYS, SECURE, SERVICES, WITNESS, World, kept_environ, topics_of
from deploy.local.embedded import EmbeddedKafka
from deploy.local.kafka import native_kafka
from deploy.local.kafka_server import KafkaServer
from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from deploy.local.secure import secure_kafka
from deploy.local.store import native_mongo
from deploy.local.wait import poll
from shared.rights import Right, User

READY_SECONDS = 60.0
ACKNOWLEDGE_SECONDS = 5
"""Short, so that a unit that does not answer is seen to be passed over."""


def app(service: str) -> Sequence[str]:
    """Return what Python is told to run a service."""
    return ["-m", f"services.{service}.app"]


@contextmanager
def running(
    cast: Cast,
    folder: Path,
    hook_port: int,
    kafka: str | None,
    *,
    start: Callable[[str], Sequence[str]] = app,
    extra: Mapping[str, str] | None = None,
    files: bool = False,
    callers: Sequence[str] = (),
) -> Iterator[World]:
    """A world with everything ready; on leaving, all that was started here has ended.

    `kafka`: "native" starts real servers, "secure" such with TLS and rights; otherwise KAFKA_URL and
    MONGO_URL count, where they are set.
    `start` says how a service is run, `extra` are settings of all of them, also of operators'
    commands. With `files` they keep SQLite
    files all the same. `callers` may report with API keys of their own.
    """
    with ExitStack() as stack:
        server, mongo = _servers(cast, folder, kafka, stack, files=files)
        world = World(folder, server.url, mongo, made(cast, callers), extra=extra or {}, server=server)
        world.credentials.hand_out(folder, cast, f"http://127.0.0.1:{hook_port}/ruamjai")
        _topics(world, server, cast)
        world.ports |= {name: (free_port(), free_port()) for name in SERVICES}
        processes: dict[str, ServerProcess] = {}
        world.processes = processes
        for name in SERVICES:
            command = [sys.executable, *start(name)]
            process = ServerProcess(command, folder / f"{name}.log", _environ(world, name))
            processes[name] = process
            stack.callback(process.stop)
            process.start()
        for name, process in processes.items():
            poll(lambda n=name, p=process: _ready(world, n, p), READY_SECONDS, f"{name} ready")  # type: ignore[misc]
        yield world


def _servers(
    cast: Cast, folder: Path, kafka: str | None, stack: ExitStack, *, files: bool
) -> tuple[KafkaServer, str | None]:
    mongo = None if files else os.environ.get("MONGO_URL")
    if kafka in (Source.NATIVE, SECURE):
        server = stack.enter_context(closing(_kafka(folder / "kafka", cast, secure=kafka == SECURE)))
        if files:
            return server, None
        return server, stack.enter_context(closing(started(native_mongo(folder / "mongo")))).url
    if url := os.environ.get("KAFKA_URL"):
        return KafkaServer(url.removeprefix("kafka://")), mongo
    return stack.enter_context(closing(EmbeddedKafka())), mongo


def _kafka(folder: Path, cast: Cast, *, secure: bool) -> KafkaCluster:
    """Real brokers; secure ones let everybody do what the table of rights says, and a witness read it all."""
    if not secure:
        return started(native_kafka(folder))
    users = users_of(cast)
    users.append(User(WITNESS, tuple(Right("topic", topic.name, ("Read",)) for topic, _ in topics_of(cast))))
    server = started(secure_kafka(folder, {user.name: secrets.token_urlsafe(16) for user in users}))
    server.admit(users)
    return server


def _topics(world: World, server: KafkaServer, cast: Cast) -> None:
    embedded = isinstance(server, EmbeddedKafka)
    pack = Path(found) if (found := world.extra.get("PACK_DIR")) else None
    for topic, config in topics_of(cast, pack):
        server.create_topic(topic.name, topic.partitions, 1, None if embedded else config)
        world.topics.append(topic.name)


def _environ(world: World, service: str) -> dict[str, str]:
    api, health = world.ports[service]
    settings = {
        **world.environment(service),
        "STORE_URL": world.store(service),
        "DATA_DIR": str(world.folder),
        "KEYS_URL": world.store(KEYS),
        "MASTER_KEY": world.credentials.master_key,
        "API_KEYS": str(world.folder / "api-keys.yaml"),
        "API_PORT": str(api),
        "HTTP_PORT": str(health),
        "WEBHOOKS_FILE": str(world.folder / "webhooks.yaml"),
        "ACKNOWLEDGE_SECONDS": str(ACKNOWLEDGE_SECONDS),
        "DRAIN_SECONDS": "3",
    }
    return {**kept_environ(), **settings, **world.extra}


def _ready(world: World, name: str, process: ServerProcess) -> bool:
    """Whether a service is. Raises RuntimeError with its last words when it has ended."""
    if not process.running:
        raise RuntimeError(f"{name} ended:\n{process.last_words()}")
    with suppress(httpx.HTTPError):
        return httpx.get(f"{world.health(name)}/readyz", timeout=2).is_success
    return False
