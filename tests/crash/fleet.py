"""The members of a run as an operator sees them: started, killed, measured, found in their groups."""

import json
import sys
import time
import urllib.request
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupState, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from deploy.local.process import ServerProcess
from deploy.local.wait import poll
from tests.crash.names import PARTITIONS, ROLES, World
from tests.crash.takeover import Input, input_of
from tests.crash.windows import GO, HIT

STABLE_SECONDS = 90.0
CALL_SECONDS = 5.0
COUNTED = ("ruamjai_redone_total", "ruamjai_repeated_total")


class Member:
    """One process of a role."""

    def __init__(
        self,
        role: str,
        name: str,
        directory: Path,
        environment: Mapping[str, str],
        module: str = "tests.crash.member",
    ) -> None:
        self.role, self.name = role, name
        self.log = directory / f"{name}.log"
        self._order = directory / f"{name}.order"
        variables = [f"{k}={v}" for k, v in {**environment, "CRASH_ORDER": str(self._order)}.items()]
        command = ["env", *variables, sys.executable, "-m", module, role, name]
        self.process = ServerProcess(command, self.log)
        self._begins = 0

    def start(self) -> None:
        """Start it anew; its log goes on."""
        self._begins = self.log.stat().st_size if self.log.exists() else 0
        self.process.start()

    def arm(self, window: str, action: str) -> None:
        """Order it to `kill` or `freeze` itself, or to `hold` still, when it reaches `window`."""
        for old in (HIT, GO):
            self._order.with_suffix(old).unlink(missing_ok=True)
        draft = self._order.with_suffix(".draft")
        draft.write_text(f"{window} {action}")
        draft.rename(self._order)

    def hit(self) -> float:
        """Return when the order was carried out, in epoch seconds; 0 while it was not."""
        try:
            return float(self._order.with_suffix(HIT).read_text() or 0)
        except FileNotFoundError:
            return 0.0

    def disarm(self) -> None:
        """Take an order back that was not carried out."""
        self._order.unlink(missing_ok=True)

    def go(self) -> None:
        """Let it out of a hold."""
        self._order.with_suffix(GO).touch()

    def counts(self, counted: Sequence[str] = COUNTED) -> Mapping[str, float]:
        """Return the sums of the metrics that tell of work done again; zeros when it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port()}/metrics", timeout=5) as page:
                lines = page.read().decode().splitlines()
        except (OSError, LookupError):
            return dict.fromkeys(counted, 0.0)
        return {name: sum(_value(line) for line in lines if line.startswith(name)) for name in counted}

    def ready(self) -> bool:
        """Whether it says so: it is in its groups again, and broker and store answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port()}/readyz", timeout=5) as page:
                return bool(page.status == 200)
        except (OSError, LookupError):
            return False

    def _port(self) -> int:
        with self.log.open() as log:
            log.seek(self._begins)
            for line in log:
                if '"started"' in line:
                    return int(json.loads(line)["port"])
        raise LookupError(f"{self.name} has not started")


def _value(line: str) -> float:
    return float(line.rpartition(" ")[2])


class Members:
    """Members by role, each role with the consumer group in which its members are found."""

    def __init__(
        self,
        url: str,
        members: Mapping[str, Sequence[Member]],
        groups: Mapping[str, str],
        counted: Sequence[str] = COUNTED,
    ) -> None:
        self._url, self.members, self._groups, self._counted = url, members, groups, counted
        self._topics: list[str] = []

    @property
    def all(self) -> Sequence[Member]:
        """Every member."""
        return [member for members in self.members.values() for member in members]

    def create(self, topics: Sequence[NewTopic]) -> None:
        """Create topics and wait until all of their replicas are in sync."""
        self._topics += [topic.topic for topic in topics]
        admin = self.admin()
        for outcome in admin.create_topics(list(topics)).values():
            outcome.result(60)
        poll(self.in_sync, STABLE_SECONDS, "replicas of all topics in sync")

    def in_sync(self) -> bool:
        """Whether every partition of these topics has a leader and all of its replicas in sync."""
        try:
            known = self.admin().list_topics(timeout=CALL_SECONDS).topics
        except KafkaException:
            return False
        wanted = {*self._topics, *(["__consumer_offsets"] if "__consumer_offsets" in known else [])}
        return wanted <= known.keys() and all(
            known[name].partitions
            and all(p.leader >= 0 and len(p.isrs) == len(p.replicas) for p in known[name].partitions.values())
            for name in wanted
        )

    def start(self) -> None:
        """Start every member and wait until all groups are complete."""
        for member in self.all:
            member.start()
        self.wait_complete()

    def stop(self) -> None:
        """End every member in order."""
        for member in self.all:
            member.process.stop()

    def close(self) -> None:
        """End every member by force."""
        for member in self.all:
            member.process.close()

    def wait_complete(self, *roles: str) -> None:
        """Wait until every running member of `roles` (default: all) has partitions."""
        for role in roles or tuple(self.members):
            poll(partial(self._complete, role), STABLE_SECONDS, f"all members of {role} own partitions")

    def _complete(self, role: str) -> bool:
        running = {m.name for m in self.members[role] if m.process.running}
        owned = self.partitions(role)
        return set(owned) == running and all(owned.values())

    def partitions(self, role: str) -> Mapping[str, Collection[TopicPartition]]:
        """Return the partitions each member of a stable group owns; nothing while it is not."""
        return {
            name: [tp for tp in member.assignment.topic_partitions if not tp.topic.endswith(".replay")]
            for name, member in self._stable(role).items()
        }

    def joined(self, role: str, name: str) -> str:
        """Return the id under which a member is in its stable group; each time it joins it gets another."""
        member = self._stable(role).get(name)
        return member.member_id if member else ""

    def _stable(self, role: str) -> Mapping[str, Any]:
        admin, group = self.admin(), self._groups[role]
        try:
            described = admin.describe_consumer_groups([group])[group].result(CALL_SECONDS)
        except (KafkaException, TimeoutError):
            return {}
        if described.state != ConsumerGroupState.STABLE:
            return {}
        return {member.client_id.removeprefix("ruamjai-"): member for member in described.members}

    def committed(self, role: str, places: Sequence[TopicPartition]) -> bool:
        """Whether the group of `role` has committed these partitions to the end."""
        consumer = Consumer({"bootstrap.servers": self._url, "group.id": self._groups[role]})
        try:
            committed = consumer.committed(list(places), timeout=CALL_SECONDS)
            ends = [consumer.get_watermark_offsets(place, timeout=CALL_SECONDS)[1] for place in places]
        except KafkaException:  # a leader moved
            return False
        finally:
            consumer.close()
        return [max(0, place.offset) for place in committed] == ends

    def counts(self) -> dict[tuple[str, int], Mapping[str, float]]:
        """Return the metrics of every running member, by name and process."""
        return {(m.name, m.process.pid): m.counts(self._counted) for m in self.all if m.process.running}

    def admin(self) -> AdminClient:
        """Return a new client: a lasting one would keep dialling a broker that was killed."""
        return AdminClient({"bootstrap.servers": self._url, "log_level": 0})


class Fleet(Members):
    """The topics and members of one world of the stream."""

    def __init__(
        self, url: str, store_url: str, world: World, directory: Path, members: int, control: str = ""
    ) -> None:
        self.world = world
        environment = {
            "KAFKA_URL": url,
            "STORE_URL": store_url,
            "HTTP_PORT": "0",
            "CRASH_PREFIX": world.prefix,
            "CRASH_CONTROL": control,
            "PYTHONPATH": str(Path.cwd()),
        }
        all_ = {
            role: [Member(role, f"{role}-{n}", directory, environment) for n in range(members)]
            for role in ROLES
        }
        super().__init__(url, all_, {role: world.group(role) for role in ROLES})

    def create_topics(self, replication: int, placed: Mapping[str, Sequence[int]] | None = None) -> None:
        """Create every topic; `placed` says on which brokers (from 1) the topics it names have replicas."""
        topics = [
            NewTopic(name, PARTITIONS, replica_assignment=[list(placed[name])] * PARTITIONS, config=config)
            if placed and name in placed
            else NewTopic(name, PARTITIONS, replication, config=config)
            for name, config in self.world.topics().items()
        ]
        self.create(topics)

    def owned(self, role: str) -> Mapping[str, Collection[Input]]:
        """Return the inputs each member of a stable group owns; nothing while it is not."""
        found = self.partitions(role)
        return {name: {input_of(role, tp.topic, tp.partition) for tp in tps} for name, tps in found.items()}

    def owners(self, role: str) -> Mapping[str, Collection[Input]]:
        """Wait for the group to be stable; return what each member owns."""
        return poll(lambda: self.owned(role), STABLE_SECONDS, f"{role} stable")

    def places(self, name: str) -> list[TopicPartition]:
        """Return the partitions of both lanes of the topic `name`."""
        topics = [self.world.topic(name, lane) for lane in (False, True)]
        return [TopicPartition(topic, n) for topic, n in product(topics, range(PARTITIONS))]


def done_again(
    before: Mapping[tuple[str, int], Mapping[str, float]],
    after: Mapping[tuple[str, int], Mapping[str, float]],
) -> int:
    """Return how much work the members say was done again between two calls of `Fleet.counts`."""
    total = 0.0
    for process, counts in after.items():
        earlier = before.get(process, {})
        total += sum(count - earlier.get(name, 0.0) for name, count in counts.items())
    return int(total)


def wait_for_hit(member: Member, seconds: float) -> float:
    """Return when `member` carried out its order; 0.0 when it did not reach the window within `seconds`."""
    deadline = time.monotonic() + seconds
    while not (at := member.hit()) and time.monotonic() < deadline:
        time.sleep(0.005)
    if not at:
        member.disarm()
    return at
