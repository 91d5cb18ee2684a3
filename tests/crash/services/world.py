"""What one run is made of: settings of every member, keys, topics, and the agreements with three agencies."""

import hashlib
import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from deploy.local.ports import free_port
from shared.bus.admin import wanted
from shared.contracts.topics import Topic
from shared.pack import load_pack
from shared.settings import load_settings
from tests.crash.services.member import BUILDS
from tests.crash.services.signed import Terms

PARTITIONS = 4
"""Of the topics that have more: each costs every service, and the store, something every second."""
ACKNOWLEDGE_SECONDS = 8
OFFICER = "officer:control-room"
HOOK, HOOKED, GENEROUS = "ems-hook", "ems", "rescue"
ALL_FIELDS = ("lifecycle", "category", "priority", "text", "point", "place", "opened_at", "reports", "tasks")
MUCH = ("road_accident", "fire", "flood", "missing_person", "brawl", "theft", "noise", "drugs", "unknown")
MEDICAL = ("road_accident", "brawl", "medical_emergency", "fire")
BLURRED = ("lifecycle", "category", "priority", "point_blurred", "place", "reports", "sealed")


@dataclass
class World:
    """Where everything of one run is; `hook_port` is where its webhook is received."""

    folder: Path
    kafka: str
    store: str
    hook_port: int
    control: str = ""
    hook_secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    officer: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    _master: str = field(default_factory=lambda: b64encode(secrets.token_bytes(32)).decode(), repr=False)
    _ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(self.officer.encode()).hexdigest()
        keys = {digest: {"name": OFFICER, "scopes": ["commands"]}}
        (self.folder / "api-keys.yaml").write_text(yaml.safe_dump(keys))
        (self.folder / "hook-secret").write_text("whsec_" + b64encode(self.hook_secret).decode())
        url = f"http://127.0.0.1:{self.hook_port}/ruamjai"
        endpoint = {"agency": HOOKED, "url": url, "secrets": [{"file": "hook-secret"}]}
        hooks = {"endpoints": {HOOK: endpoint}, "allowed_networks": ["127.0.0.0/8"]}
        (self.folder / "webhooks.yaml").write_text(yaml.safe_dump(hooks))

    def api(self, member: str) -> str:
        """Return the base URL of a member's API; it keeps its port when it starts anew."""
        return f"http://127.0.0.1:{self._ports.setdefault(member, free_port())}"

    def environ(self, service: str, member: str) -> Mapping[str, str]:
        """Return the settings of a member."""
        return {
            "PYTHONPATH": str(Path.cwd()),
            "KAFKA_URL": self.kafka,
            "STORE_URL": f"{self.store}/{service}",
            "KEYS_URL": f"{self.store}/keys",
            "MASTER_KEY": self._master,
            "API_KEYS": str(self.folder / "api-keys.yaml"),
            "API_PORT": self.api(member).rpartition(":")[2],
            "HTTP_PORT": "0",
            "WEBHOOKS_FILE": str(self.folder / "webhooks.yaml"),
            "ACKNOWLEDGE_SECONDS": str(ACKNOWLEDGE_SECONDS),
            "DRAIN_SECONDS": "5",
            "CRASH_CONTROL": self.control,
        }

    def topics(self, replication: int) -> list[NewTopic]:
        """Return every topic there must be: the contract's, and what the services' groups need."""
        agencies = sorted({desk.agency for desk in load_pack(None).desks})
        in_sync = {"min.insync.replicas": str(max(1, replication - 1))}
        return [
            NewTopic(topic.name, partitions_of(topic), replication, config=config | in_sync)
            for topic, config in wanted(self.groups, agencies)
        ]

    @cached_property
    def groups(self) -> dict[str, tuple[Topic, ...]]:
        """The consumer groups with their inputs, as the services declare them themselves."""
        declared = [
            build(load_settings(service, self.environ(service, service))) for service, build in BUILDS.items()
        ]
        return {s.group: s.topics for service in declared for s in service.subscriptions}


def partitions_of(topic: Topic) -> int:
    """Return how many partitions a topic has in a run."""
    return min(topic.partitions, PARTITIONS)


def first_terms(now: datetime) -> list[Terms]:
    """Return what is agreed at first: much with one agency, little with another, and what changes later."""
    since, until = now - timedelta(days=1), now + timedelta(days=365)
    return [
        Terms(GENEROUS, 1, MUCH, ("67",), ALL_FIELDS, since, until),
        Terms("municipality", 1, ("noise", "street_light"), ("6701",), ("lifecycle",), since, until),
        Terms(HOOKED, 1, MEDICAL, ("6701", "6703", "6707"), BLURRED, since, until),
    ]


def next_terms(current: Terms, since: datetime) -> Terms:
    """Return the version that follows: less after the first, all of it again after the second, and so on."""
    narrow = current.version % 2 == 1
    categories, fields = (MEDICAL[:1], BLURRED[:2]) if narrow else (MEDICAL, BLURRED)
    return Terms(
        current.agency, current.version + 1, categories, current.areas, fields, since, current.until
    )  # fmt: skip


def agreement(terms: list[Terms]) -> dict[str, Any]:
    """Return the body of the event that says an agency's newest two versions are agreed."""
    agency = terms[-1].agency
    versions = [
        {
            "version": t.version,
            "categories": list(t.categories),
            "areas": list(t.areas),
            "fields": list(t.fields),
            "valid_from": t.since.isoformat(),
            "valid_until": t.until.isoformat(),
        }
        for t in terms[-2:]
    ]
    body = {"agreement_id": f"mou-{agency}", "agency": agency, "parties": [agency, "police"]}
    return body | {"status": "actual", "terms": versions}
