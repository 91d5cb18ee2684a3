"""The world of one run as its clients know it: where everything is, which topics there are, who may call."""

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import yaml

from deploy.local.demo.credentials import HOOK, Credentials
from deploy.local.demo.day import Cast, Partner
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
from shared.rights import OPERATOR
from shared.settings import KafkaClientOptions

if TYPE_CHECKING:
    from deploy.local.kafka_server import KafkaServer
    from deploy.local.process import ServerProcess

SERVICES = ("intake", "geo", "dispatch", "notify")
KEYS = "keys"
"""The name of the store of the keys that seal personal data."""
ROOT = Path(__file__).parents[3]
HERE = "127.0.0.1"
SECURE = "secure"
"""What to ask for to have real servers that let nobody do more than its own."""
WITNESS = "witness"
RUAMJAI = (
    "from shared.cli import main; from services.notify.cli import agreements; "
    "main.add_command(agreements); main()"
)
"""The operators' command, also where the package is not installed."""


@dataclass
class World:
    """Where everything of this run is. `kafka` are bootstrap servers, `mongo` is a URL without a database."""

    folder: Path
    kafka: str
    mongo: str | None
    credentials: Credentials
    ports: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By service: the port of its API, and of its health."""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """By service, where it is not this machine."""
    prefix: str = field(default_factory=lambda: f"ruamjai_demo_{secrets.token_hex(4)}_")
    """Of databases' names: keeps those of two runs on one server apart."""
    processes: "Mapping[str, ServerProcess]" = field(default_factory=dict)
    topics: list[str] = field(default_factory=list)
    extra: Mapping[str, str] = field(default_factory=dict)
    """Settings of every process beside those that the world needs."""
    server: "KafkaServer | None" = None
    """The Kafka, where it was started here."""

    def environment(self, user: str) -> dict[str, str]:
        """The settings with which a process of ours gets into Kafka as `user`."""
        return self.server.environment(user) if self.server else {"KAFKA_URL": self.kafka}

    def client(self, user: str) -> KafkaClientOptions:
        """The arguments with which an aiokafka client gets into Kafka as `user`."""
        if self.server:
            return self.server.client(user)
        return KafkaClientOptions(bootstrap_servers=self.kafka.split(","))

    def api(self, service: str) -> str:
        """The base URL of a service's API."""
        return f"http://{self.hosts.get(service, HERE)}:{self.ports[service][0]}"

    def health(self, service: str) -> str:
        """The base URL of `/readyz` and `/metrics`."""
        return f"http://{self.hosts.get(service, HERE)}:{self.ports[service][1]}"

    def bearer(self, name: str) -> dict[str, str]:
        """The header with which `name` calls."""
        return {"Authorization": f"Bearer {self.credentials.keys[name]}"}

    def store(self, name: str) -> str:
        """The URL of the store called `name`: a database, or a file, of its own."""
        if self.mongo is None:
            return f"sqlite:///{self.folder}/{name}.db"
        return urlsplit(self.mongo)._replace(path=f"/{self.database(name)}").geturl()

    def database(self, name: str) -> str:
        """The name of that database on a server."""
        return self.prefix + name

    def dead(self) -> list[str]:
        """The services that have ended though nobody asked them to, where they are ours."""
        return [name for name, process in self.processes.items() if not process.running]


def groups_of(cast: Cast, pack: Path | None = None) -> dict[str, tuple[Topic, ...]]:
    """Return the consumer groups that the services have on a pack, with their inputs."""
    received = (REPORTS_RECEIVED, REPORTS_RECEIVED_URGENT)
    agencies = sorted({desk.agency for desk in load_pack(pack).desks})
    groups: dict[str, tuple[Topic, ...]] = {
        "geo": received,
        "dispatch": DESK_INPUTS,
        "dispatch-index": (INCIDENTS,),
        "dispatch-gateway": tuple(agency_responses(code) for code in agencies),
        "intake": (INCIDENTS,),
        "notify": (INCIDENTS,),
        "notify-disclosure": (INCIDENTS, *received),
    }
    if cast.hooked:
        groups[f"notify-webhooks.{HOOK}"] = (agency_incidents(cast.hooked),)
    return groups


def agencies_of(cast: Cast, pack: Path | None = None) -> list[str]:
    """Return every agency that has topics: those of the pack, and the partners."""
    return sorted({desk.agency for desk in load_pack(pack).desks} | {p.agency for p in cast.partners})


def topics_of(cast: Cast, pack: Path | None = None) -> list[tuple[Topic, dict[str, str]]]:
    """Return every topic of a run with its configuration."""
    return list(wanted(groups_of(cast, pack), agencies_of(cast, pack)))


def kept_environ() -> dict[str, str]:
    """Return what a process of ours inherits: nothing that could be a setting."""
    names = ("PATH", "HOME", "LANG", "RUAMJAI_CACHE")
    return {name: os.environ[name] for name in names if name in os.environ} | {"PYTHONPATH": str(ROOT)}


def publish(world: World, partners: Sequence[Partner], now: datetime) -> None:
    """Publish what was agreed, as an operator does. Raises RuntimeError with what the command said."""
    folder = world.folder / "agreements"
    folder.mkdir(exist_ok=True)
    for partner in partners:
        file = partner.agreement(now)
        (folder / f"{partner.agency}.yaml").write_text(yaml.safe_dump(file, allow_unicode=True))
    command = [sys.executable, "-c", RUAMJAI, "agreements", "publish", str(folder)]
    environ = {**kept_environ(), **world.environment(OPERATOR), **world.extra}
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the agreements could not be published:\n{done.stdout}{done.stderr}")
