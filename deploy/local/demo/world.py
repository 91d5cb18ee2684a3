"""The world of one run: servers, topics, keys, agreements and the four services, all made afresh."""

import hashlib
import os
import secrets
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import yaml

from deploy.local.choose import Source, started
from deploy.local.cluster import KafkaCluster
from deploy.local.demo.day import Day, Partner
from deploy.local.demo.users import HOOK, users_of
from deploy.local.embedded import EmbeddedKafka
from deploy.local.kafka import native_kafka
from deploy.local.kafka_server import KafkaServer
from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from deploy.local.secure import secure_kafka
from deploy.local.store import native_mongo
from deploy.local.wait import poll
from shared.bus.admin import wanted
from shared.contracts.topics import (
    DESK_INPUTS,
    INCIDENTS,
    REPORTS_RECEIVED,
    REPORTS_RECEIVED_URGENT,
    Topic,
    agency_incidents,
    agency_responses,
)
from shared.pack import load_pack
from shared.rights import OPERATOR, Right, User

SERVICES = ("intake", "geo", "dispatch", "notify")
KEYS = "keys"
"""The name of the store of the keys that seal personal data."""
ROOT = Path(__file__).parents[3]
READY_SECONDS = 60.0
ACKNOWLEDGE_SECONDS = 5
"""Short, so that a unit that does not answer is seen to be passed over."""
SECURE = "secure"
"""What to ask for to have real servers that let nobody do more than its own."""
WITNESS = "witness"
SECRET_BYTES = 32
RUAMJAI = (
    "from shared.cli import main; from services.notify.cli import agreements; "
    "main.add_command(agreements); main()"
)
"""The operators' command, also where the package is not installed."""


@dataclass
class World:
    """Where everything of this run is."""

    folder: Path
    kafka: KafkaServer
    mongo: str | None
    ports: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By service: the port of its API, and of its health."""
    keys: dict[str, str] = field(default_factory=dict)
    """API keys in clear, by the name of their holder."""
    mark: str = field(default_factory=lambda: secrets.token_hex(4))
    """Keeps the databases of two runs on one server apart."""
    hook_secret: bytes = field(default_factory=lambda: secrets.token_bytes(SECRET_BYTES), repr=False)
    master_key: str = field(default_factory=lambda: b64encode(secrets.token_bytes(32)).decode(), repr=False)
    processes: dict[str, ServerProcess] = field(default_factory=dict)
    topics: list[str] = field(default_factory=list)
    extra: Mapping[str, str] = field(default_factory=dict)
    """Settings of every service beside those that the world needs."""

    def api(self, service: str) -> str:
        """The base URL of a service's API."""
        return f"http://127.0.0.1:{self.ports[service][0]}"

    def health(self, service: str) -> str:
        """The base URL of `/readyz` and `/metrics`."""
        return f"http://127.0.0.1:{self.ports[service][1]}"

    def bearer(self, name: str) -> dict[str, str]:
        """The header with which `name` calls."""
        return {"Authorization": f"Bearer {self.keys[name]}"}

    def store(self, name: str) -> str:
        """The URL of the store called `name`: a database, or a file, of its own."""
        if self.mongo is None:
            return f"sqlite:///{self.folder}/{name}.db"
        return urlsplit(self.mongo)._replace(path=f"/{self.database(name)}").geturl()

    def database(self, name: str) -> str:
        """The name of that database on a server."""
        return f"ruamjai_demo_{self.mark}_{name}"

    def log(self, name: str) -> Path:
        """Where a service's log goes."""
        return self.folder / f"{name}.log"

    def dead(self) -> list[str]:
        """The services that have ended though nobody asked them to."""
        return [name for name, process in self.processes.items() if not process.running]


def groups_of(day: Day) -> dict[str, tuple[Topic, ...]]:
    """Return the consumer groups that the services have, with their inputs."""
    received = (REPORTS_RECEIVED, REPORTS_RECEIVED_URGENT)
    agencies = sorted({desk.agency for desk in load_pack(None).desks})
    return {
        "geo": received,
        "dispatch": DESK_INPUTS,
        "dispatch-index": (INCIDENTS,),
        "dispatch-gateway": tuple(agency_responses(code) for code in agencies),
        "intake": (INCIDENTS,),
        "notify": (INCIDENTS,),
        "notify-disclosure": (INCIDENTS, *received),
        f"notify-webhooks.{HOOK}": (agency_incidents(day.hooked),),
    }


def agencies_of(day: Day) -> list[str]:
    """Return every agency that has topics: those of the pack, and the partners."""
    return sorted({desk.agency for desk in load_pack(None).desks} | {p.agency for p in day.partners})


def app(service: str) -> Sequence[str]:
    """Return what Python is told to run a service."""
    return ["-m", f"services.{service}.app"]


@contextmanager
def running(
    day: Day,
    folder: Path,
    hook_port: int,
    kafka: str | None,
    *,
    start: Callable[[str], Sequence[str]] = app,
    extra: Mapping[str, str] | None = None,
) -> Iterator[World]:
    """A world with everything ready; on leaving, all that was started here has ended.

    `kafka`: "native" starts real servers, "secure" such with TLS and rights; otherwise KAFKA_URL and
    MONGO_URL count, where they are set.
    `start` says how a service is run, `extra` are settings of all of them.
    """
    with ExitStack() as stack:
        world = _servers(day, folder, kafka, stack)
        world.extra = extra or {}
        _keys(world, day)
        _hooks(world, day, hook_port)
        _topics(world, day)
        for name in SERVICES:
            world.ports[name] = (free_port(), free_port())
        for name in SERVICES:
            command = [sys.executable, *start(name)]
            process = ServerProcess(command, world.log(name), _environ(world, name))
            world.processes[name] = process
            stack.callback(process.stop)
            process.start()
        for name in SERVICES:
            poll(lambda name=name: _ready(world, name), READY_SECONDS, f"{name} ready")  # type: ignore[misc]
        yield world


def _servers(day: Day, folder: Path, kafka: str | None, stack: ExitStack) -> World:
    if kafka in (Source.NATIVE, SECURE):
        server = stack.enter_context(closing(_kafka(folder / "kafka", day, secure=kafka == SECURE)))
        store = stack.enter_context(closing(started(native_mongo(folder / "mongo"))))
        return World(folder, server, store.url)
    if url := os.environ.get("KAFKA_URL"):
        return World(folder, KafkaServer(url.removeprefix("kafka://")), os.environ.get("MONGO_URL"))
    return World(folder, stack.enter_context(closing(EmbeddedKafka())), os.environ.get("MONGO_URL"))


def _kafka(folder: Path, day: Day, *, secure: bool) -> KafkaCluster:
    """Real brokers; secure ones let everybody do what the table of rights says, and a witness read it all."""
    if not secure:
        return started(native_kafka(folder))
    users = users_of(day)
    every = [topic.name for topic, _ in wanted(groups_of(day), agencies_of(day))]
    users.append(User(WITNESS, tuple(Right("topic", name, ("Read",)) for name in every)))
    server = started(secure_kafka(folder, {user.name: secrets.token_urlsafe(16) for user in users}))
    server.admit(users)
    return server


def _keys(world: World, day: Day) -> None:
    """Make an API key for everybody who calls; the services get digests only."""
    scopes = {"officer:control-room": ["commands"], "sensor:river-gauge": ["reports.write"]}
    scopes |= {f"agency:{partner.agency}": ["disclosures"] for partner in day.partners}
    world.keys = {name: secrets.token_urlsafe(24) for name in scopes}
    digests = {
        hashlib.sha256(key.encode()).hexdigest(): {"name": name, "scopes": scopes[name]}
        for name, key in world.keys.items()
    }
    (world.folder / "api-keys.yaml").write_text(yaml.safe_dump(digests))


def _hooks(world: World, day: Day, port: int) -> None:
    secret = world.folder / "hook-secret"
    secret.write_text("whsec_" + b64encode(world.hook_secret).decode())
    endpoint = {
        "agency": day.hooked,
        "url": f"http://127.0.0.1:{port}/ruamjai",
        "secrets": [{"file": secret.name}],
    }
    file = {"endpoints": {HOOK: endpoint}, "allowed_networks": ["127.0.0.0/8"]}
    (world.folder / "webhooks.yaml").write_text(yaml.safe_dump(file))


def _topics(world: World, day: Day) -> None:
    embedded = isinstance(world.kafka, EmbeddedKafka)
    for topic, config in wanted(groups_of(day), agencies_of(day)):
        world.kafka.create_topic(topic.name, topic.partitions, 1, None if embedded else config)
        world.topics.append(topic.name)


def _environ(world: World, service: str) -> dict[str, str]:
    api, health = world.ports.get(service, (0, 0))
    settings = {
        "PYTHONPATH": str(ROOT),
        **world.kafka.environment(service),
        "STORE_URL": world.store(service),
        "DATA_DIR": str(world.folder),
        "KEYS_URL": world.store(KEYS),
        "MASTER_KEY": world.master_key,
        "API_KEYS": str(world.folder / "api-keys.yaml"),
        "API_PORT": str(api),
        "HTTP_PORT": str(health),
        "WEBHOOKS_FILE": str(world.folder / "webhooks.yaml"),
        "ACKNOWLEDGE_SECONDS": str(ACKNOWLEDGE_SECONDS),
        "DRAIN_SECONDS": "3",
    }
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "RUAMJAI_CACHE") if name in os.environ
    }
    return {**kept, **settings, **world.extra}


def _ready(world: World, name: str) -> bool:
    """Whether a service is. Raises RuntimeError with its last words when it has ended."""
    if not world.processes[name].running:
        raise RuntimeError(f"{name} ended:\n{world.processes[name].last_words()}")
    with suppress(httpx.HTTPError):
        return httpx.get(f"{world.health(name)}/readyz", timeout=2).is_success
    return False


def publish(world: World, partners: Sequence[Partner], now: datetime) -> None:
    """Publish what was agreed, as an operator does. Raises RuntimeError with what the command said."""
    folder = world.folder / "agreements"
    folder.mkdir(exist_ok=True)
    for partner in partners:
        file = partner.agreement(now)
        (folder / f"{partner.agency}.yaml").write_text(yaml.safe_dump(file, allow_unicode=True))
    command = [sys.executable, "-c", RUAMJAI, "agreements", "publish", str(folder)]
    environ = _environ(world, OPERATOR)
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the agreements could not be published:\n{done.stdout}{done.stderr}")
