"""Where the servers come from: the first source that works on this machine, in one fixed order."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar

from deploy.local.cluster import KafkaCluster
from deploy.local.containers import docker_kafka, docker_mongo
from deploy.local.embedded import EmbeddedKafka
from deploy.local.kafka import native_kafka
from deploy.local.kafka_server import KafkaServer
from deploy.local.store import MongoServer, native_mongo
from deploy.local.unavailable import Unavailable

FORCE = "RUAMJAI_SERVERS"
T = TypeVar("T")
Server = TypeVar("Server", bound=KafkaCluster | MongoServer)


class Source(StrEnum):
    """What RUAMJAI_SERVERS may say."""

    URL = "url"
    DOCKER = "docker"
    NATIVE = "native"
    EMBEDDED = "embedded"


@dataclass(frozen=True)
class Chosen(Generic[T]):
    """A running server, its source, and why the sources before it were passed over."""

    server: T
    source: Source
    passed_over: str


def choose(starters: Mapping[Source, Callable[[], T]], forced: str | None = None) -> Chosen[T]:
    """The first source whose starter does not raise Unavailable; only the one forced, if any."""
    passed_over: list[str] = []
    for source, start in starters.items():
        if forced and source != Source(forced):
            continue
        try:
            return Chosen(start(), source, "; ".join(passed_over))
        except Unavailable as reason:
            passed_over.append(f"{source}: {reason}")
    raise Unavailable("; ".join(passed_over) or f"not with {FORCE}={forced}")


def choose_kafka(data: Path) -> Chosen[KafkaServer]:
    """A Kafka with one broker; the embedded broker is the last resort."""
    starters: dict[Source, Callable[[], KafkaServer]] = {
        Source.URL: lambda: KafkaServer(_url("KAFKA_URL")),
        Source.DOCKER: lambda: started(docker_kafka()),
        Source.NATIVE: lambda: started(native_kafka(data)),
        Source.EMBEDDED: EmbeddedKafka,
    }
    return choose(starters, os.environ.get(FORCE))


def choose_mongo(data: Path) -> Chosen[MongoServer | str | None]:
    """A MongoDB-compatible server, or the URL of one that is not ours, or None where SQLite must do."""
    starters: dict[Source, Callable[[], MongoServer | str | None]] = {
        Source.URL: lambda: _url("MONGO_URL"),
        Source.DOCKER: lambda: started(docker_mongo()),
        Source.NATIVE: lambda: started(native_mongo(data)),
        Source.EMBEDDED: lambda: None,
    }
    return choose(starters, os.environ.get(FORCE))


def started(server: Server) -> Server:
    """The server, running; one that cannot start leaves no process behind."""
    try:
        server.start()
    except BaseException:
        server.close()
        raise
    return server


def _url(variable: str) -> str:
    if url := os.environ.get(variable):
        return url
    raise Unavailable(f"{variable} is not set")
