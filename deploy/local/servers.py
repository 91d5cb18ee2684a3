"""`make servers`: Kafka and a MongoDB-compatible server for developers, until Ctrl-C.

What it prints is shell: the settings a client needs as exports, everything else as comments.
"""

import argparse
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from deploy.local.choose import FORCE, Source, choose, started
from deploy.local.cluster import KafkaCluster
from deploy.local.containers import docker_kafka, docker_mongo
from deploy.local.embedded import EmbeddedKafka
from deploy.local.kafka import native_kafka
from deploy.local.kafka_server import KafkaServer
from deploy.local.options import parse
from deploy.local.secure import SecureKafka
from deploy.local.secure_servers import lets_in, secured
from deploy.local.store import MongoServer, native_mongo
from deploy.local.unavailable import Unavailable


def main(arguments: Sequence[str] | None = None) -> int:
    """Start what the arguments ask for, print its settings, end it on SIGINT or SIGTERM."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as running:
        try:
            data = options.data or Path(running.enter_context(_scratch()))
            for line in _start(options, data, running):
                print(line, flush=True)
            print(f"# data and logs of native servers: {data}; Ctrl-C ends all", flush=True)
            signal.pause()
        except Unavailable as reason:
            print(f"cannot start: {reason}\n--embedded needs nothing but Python", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("# stopping", flush=True)
    return 0


def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="ruamjai-", ignore_cleanup_errors=True)


def _start(options: argparse.Namespace, data: Path, running: ExitStack) -> Iterator[str]:
    """Start the servers one by one and yield the lines to print."""
    if options.kafka:
        kafka = running.enter_context(closing(_kafka(options, data / "kafka")))
        yield from _settings(kafka)
        if isinstance(kafka, SecureKafka):
            yield from lets_in(kafka, data / "kafka" / "users")
    if options.users:
        yield f"# may do nothing before a right says so: {', '.join(options.users)}"
    if options.mongo and not options.embedded:
        yield _export("MONGO_URL", running.enter_context(closing(_mongo(options, data / "mongo"))).url)


def _kafka(options: argparse.Namespace, data: Path) -> KafkaCluster | EmbeddedKafka:
    if options.embedded:
        return EmbeddedKafka()
    if options.secure:
        return secured(options, data)
    starters = {
        Source.DOCKER: lambda: started(docker_kafka(options.kafka_port)),
        Source.NATIVE: lambda: started(native_kafka(data, options.brokers, options.kafka_port)),
    }
    if options.data or options.brokers > 1:
        del starters[Source.DOCKER]
    return choose(starters, os.environ.get(FORCE)).server


def _mongo(options: argparse.Namespace, data: Path) -> MongoServer:
    starters = {
        Source.DOCKER: lambda: started(docker_mongo(options.mongo_port)),
        Source.NATIVE: lambda: started(native_mongo(data, options.mongo_port)),
    }
    if options.data:
        del starters[Source.DOCKER]
    return choose(starters, os.environ.get(FORCE)).server


def _settings(kafka: KafkaServer) -> Iterator[str]:
    environment = kafka.admin.environment() if kafka.admin else {"KAFKA_URL": kafka.url}
    yield from (_export(name, value) for name, value in environment.items())


def _export(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


if __name__ == "__main__":
    sys.exit(main())
