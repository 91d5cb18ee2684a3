"""Kafka and MongoDB as containers, where a Docker engine answers: the official images, nothing to build."""

import os
import socket
from contextlib import closing

import docker
from docker.errors import DockerException
from docker.models.containers import Container
from testcontainers.core.container import DockerContainer

from deploy.local.cluster import KafkaCluster
from deploy.local.kafka_properties import Node, server_properties
from deploy.local.ports import free_port
from deploy.local.process import LAST_WORDS
from deploy.local.store import MongoServer
from deploy.local.unavailable import Unavailable

KAFKA_IMAGE = "apache/kafka:4.3.0"
KAFKA_LOG_DIR = "/tmp/kraft-combined-logs"  # noqa: S108 - inside the container, where the image may write
MONGO_IMAGE = "mongo:8.0"
MONGO_PORT = 27017
PING_SECONDS = 3
MISSING_REAPER = "where the image of its reaper cannot be pulled set TESTCONTAINERS_RYUK_DISABLED=true"


def docker_kafka(port: int | None = None) -> KafkaCluster:
    """One broker without security in a container. Raises Unavailable."""
    port = port or free_port()
    node = Node(1, port, free_port(), KAFKA_LOG_DIR, bind="0.0.0.0")  # noqa: S104 - inside the container
    settings = server_properties(node, [node])
    environment = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in settings.items()}
    description = _container(KAFKA_IMAGE).with_bind_ports(port, port).with_envs(**environment)
    return KafkaCluster([ContainerProcess(description)], [port])


def docker_mongo(port: int | None = None) -> MongoServer:
    """A standalone MongoDB in a container. Raises Unavailable."""
    port = port or free_port()
    return MongoServer(ContainerProcess(_container(MONGO_IMAGE).with_bind_ports(MONGO_PORT, port)), port)


class ContainerProcess:
    """One container as a process: its file system and its port outlive a restart, not `close`."""

    def __init__(self, description: DockerContainer) -> None:
        self._description = description
        self._handle: Container | None = None

    @property
    def running(self) -> bool:
        """True while it runs, frozen or not."""
        return self._state() in {"running", "paused"}

    def start(self) -> None:
        """Create it, start it or let it go on, whichever it needs. Raises Unavailable when Docker refuses."""
        if self._handle is None:
            self._handle = self._create()
        elif self._state() == "paused":
            self.resume()
        else:
            self._container().start()

    def kill(self) -> None:
        """SIGKILL, when it runs."""
        if self.running:
            self._container().kill()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after ten seconds."""
        self._container().stop()

    def pause(self) -> None:
        """Freeze all its processes."""
        self._container().pause()

    def resume(self) -> None:
        """Let them go on."""
        self._container().unpause()

    def close(self) -> None:
        """Remove it with its data."""
        self._description.stop()
        self._handle = None

    def last_words(self) -> str:
        """The end of its output, for error messages."""
        return self._container().logs(tail=LAST_WORDS).decode(errors="replace")

    def _create(self) -> Container:
        try:
            return self._description.start().get_wrapped_container()
        except DockerException as error:
            raise Unavailable(f"cannot start the container ({MISSING_REAPER}): {error}") from error

    def _state(self) -> str:
        container = self._container()
        container.reload()
        return str(container.status)

    def _container(self) -> Container:
        if self._handle is None:
            raise RuntimeError("the container was never started")
        return self._handle


def _container(image: str) -> DockerContainer:
    """A description of a container, after making sure that engine and image are there."""
    if not _engine_listens(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")):
        raise Unavailable("no Docker engine")
    try:
        with closing(docker.from_env(timeout=PING_SECONDS)) as engine:
            engine.ping()
        with closing(docker.from_env()) as engine:
            if not engine.images.list(image):
                engine.images.pull(image)
    except DockerException as error:
        raise Unavailable(f"no Docker engine with {image}: {error}") from error
    return DockerContainer(image)


def _engine_listens(host: str) -> bool:
    """False when nobody serves the engine's local socket: asking docker-py would leak a socket and warn."""
    if not host.startswith("unix://"):
        return True
    with closing(socket.socket(socket.AF_UNIX)) as probe:
        return probe.connect_ex(host.removeprefix("unix://")) == 0
