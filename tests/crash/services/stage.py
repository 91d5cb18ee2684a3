"""One run's servers, services, outsiders and witnesses, and the questions every scenario asks of them."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from confluent_kafka import TopicPartition
from pymongo import MongoClient

from deploy.local.demo.hook import Hook
from deploy.local.wait import poll
from tests.crash.checker import Verdict
from tests.crash.fleet import COUNTED, Member, Members
from tests.crash.services.canaries import Canaries
from tests.crash.services.clients import Clients
from tests.crash.services.evidence import search
from tests.crash.services.judge import Judge, Outside
from tests.crash.services.officers import Officers
from tests.crash.services.post import Post
from tests.crash.services.reader import Reader
from tests.crash.services.signed import Signed
from tests.crash.services.source import Source
from tests.crash.services.texts import Texts
from tests.crash.services.world import (
    GENEROUS,
    HOOKED,
    World,
    agreement,
    first_terms,
    next_terms,
    partitions_of,
)
from tests.crash.stage import Servers, index_ids

SERVICES = ("intake", "geo", "dispatch", "notify")
MODULE = "tests.crash.services.member"
AGAIN = (*COUNTED, "ruamjai_intake_repeated_total", "ruamjai_intake_taken_over_total")
SETTLE_SECONDS = 120.0
LOOK_SECONDS = 0.5
PARKED_SECONDS = 3.0
LONGEST = 3
HOOK_FAILURES = 3
OUTCAST = "municipal-6703"
"""The desk whose first record is poison, so that everything after it waits."""


@dataclass(frozen=True)
class Load:
    """What the source offers."""

    seed: int
    rate: float


class Stage:
    """The four services on `servers`, `members` of each; nothing runs before `begin`."""

    def __init__(
        self, servers: Servers, folder: Path, load: Load, members: int = 2, control: str = ""
    ) -> None:
        self.servers, self.load, self.control = servers, load, control
        self.clients, self.hook = Clients(), Hook(HOOK_FAILURES)
        kafka = servers.kafka.url
        self.world = World(folder, kafka, servers.store.url, self.clients.receive(self.hook), control)
        self.hook.secret = self.world.hook_secret
        self.fleet = Members(kafka, self._members(members), {name: name for name in self.world.groups}, AGAIN)
        self.outside, self.signed = Outside(HOOKED, GENEROUS), Signed()
        self.judge = Judge(self.outside, self.signed, Canaries())
        self.post = Post(kafka)
        texts = Texts(load.seed, self.judge.canaries)
        self.source = Source(self._apis("intake"), texts, load.rate, self.outside.accepted)
        self.officers = Officers(
            self._apis("dispatch"), self.world.officer, self.post, GENEROUS, self.outside.asked
        )
        topics = self.world.topics(min(3, servers.brokers))
        self._topics = topics
        read = {t.topic: t.num_partitions for t in topics if not t.topic.endswith(".replay")}
        self.reader = Reader(kafka, read, self.judge, self.officers.hear)
        self._parked_at = 0.0

    def _members(self, count: int) -> dict[str, list[Member]]:
        world = self.world
        return {
            service: [
                Member(service, name, world.folder, world.environ(service, name), MODULE)
                for name in (f"{service}-{n}" for n in range(count))
            ]
            for service in SERVICES
        }

    def _apis(self, service: str) -> list[str]:
        return [self.world.api(member.name) for member in self.fleet.members[service]]

    def begin(self) -> None:
        """Create the topics, start everything, and wait until reports become incidents."""
        self.fleet.create(self._topics)
        for terms in first_terms(datetime.now(UTC)):
            self.signed.add(terms)
            self.post.agreement(agreement([terms]))
        self.poison("reports.located", OUTCAST, "reports.located.dispatch.dlq")
        self.post.flush()
        self.reader.start()
        self.fleet.start()
        self._working = [self.clients.begin(self.source.run()), self.clients.begin(self.officers.run())]
        self.settle()
        self.index()

    def index(self) -> None:
        """Give every collection that there is the index its queries ask for."""
        for file in self.servers.files.glob("*.sqlite"):
            index_ids(file)

    def poison(self, topic: str, key: str, *dead_letters: str) -> None:
        """Send what nobody can use; it must come to all of `dead_letters`."""
        number = len(self.outside.poison)
        self.outside.poison[str(number)] = dead_letters
        self.post.poison(topic, key, number)

    def some_poison(self) -> None:
        """Send one record that is no report, and one that is no answer of an agency."""
        dead = "reports.received.geo.dlq", "reports.received.notify-disclosure.dlq"
        self.poison("reports.received", f"poison-{len(self.outside.poison)}", *dead)
        responses = f"agency.{GENEROUS}.responses"
        self.poison(responses, "poison", f"{responses}.dispatch-gateway.dlq")

    def renew(self) -> None:
        """Put the next version of one agreement in force, and return when it is."""
        changed = next_terms(self.signed.of(HOOKED)[-1], datetime.now(UTC) + timedelta(seconds=1))
        self.signed.add(changed)
        self.post.agreement(agreement(self.signed.of(HOOKED)))
        poll(lambda: datetime.now(UTC) > changed.since, SETTLE_SECONDS, "the new agreement in force")

    def settle(self) -> None:
        """Wait until the reports accepted so far, and some more, are in incidents and those in the ledger.

        Raises TimeoutError.
        """
        target = len(self.outside.accepted) + int(self.load.rate)
        poll(lambda: len(self.outside.accepted) >= target, SETTLE_SECONDS, f"{target} reports accepted")
        reports = set(self.outside.accepted)
        poll(lambda: not self._on_their_way(reports), SETTLE_SECONDS, "all reports in incidents")
        events = self.ask(lambda judge: set(judge.ledger.numbered))
        poll(lambda: not self._unbooked(events), SETTLE_SECONDS, "all events in the ledger")

    def _unbooked(self, events: set[str]) -> set[str]:
        events &= self.ask(lambda judge: judge.ledger.missing(self.signed, events))
        return events

    def _on_their_way(self, reports: set[str]) -> set[str]:
        reports -= self.judge.linked | self.judge.dead | self.outside.parked
        if reports and time.monotonic() - self._parked_at > PARKED_SECONDS:
            self._parked_at = time.monotonic()
            self.outside.parked |= self._parked()
        return reports

    def _parked(self) -> set[str]:
        """Return the reports that the store holds back, read past the kernel."""
        found: set[str] = set()
        with MongoClient[dict[str, bytes]](f"{self.servers.store.url}/dispatch") as client:
            for document in client.get_default_database()["parked"].find({}, {"value": True}):
                with suppress(ValueError):
                    found.add(json.loads(document["value"]).get("report_id", ""))
        return found

    def drain(self, quiet: float) -> Verdict:
        """End the source, then the officers; wait until all is right, or nothing new came for `quiet` s."""
        self.source.on = False
        self._working[0].result()
        with suppress(TimeoutError):
            poll(
                lambda: not self._on_their_way(set(self.outside.accepted)), quiet, "all reports in incidents"
            )
        self.officers.on = False
        self._working[1].result()
        self.post.flush()
        return self.wait_green(quiet)

    def wait_green(self, quiet: float) -> Verdict:
        """Wait until the verdict is green, or little new has come for `quiet` seconds; return it.

        Tasks that nobody answers make news for ever, so the wait has an end all the same.
        """
        self.reader.last_news = begun = time.monotonic()
        while not (verdict := self.verdict()).green:
            now = time.monotonic()
            if now - self.reader.last_news > quiet or now - begun > LONGEST * quiet:
                break
            time.sleep(LOOK_SECONDS)
        return verdict

    def verdict(self) -> Verdict:
        """Judge what the reader has read so far."""
        self.outside.bodies = list(self.hook.bodies)
        with self.reader.guard:
            return self.judge.verdict()

    def ask(self, what: Callable[[Judge], set[str]]) -> set[str]:
        """Ask the judge something while it is told nothing."""
        with self.reader.guard:
            return what(self.judge)

    def caught_up(self, seconds: float) -> None:
        """Wait until every consumer group has processed all that there is for it. Raises TimeoutError."""
        for group, topics in self.world.groups.items():
            places = [TopicPartition(topic.name, n) for topic in topics for n in range(partitions_of(topic))]
            poll(partial(self.fleet.committed, group, places), seconds, f"{group} to catch up")

    def ask_owners(self) -> None:
        """Ask for something in every incident that is open: whoever owns it must answer."""
        found = self.clients.do(self.officers.ask_all(self.ask(lambda judge: set(judge.open))))
        self.outside.owners |= found

    def search(self) -> None:
        """Look for canaries in all that the services have left: stores, their files, and logs."""
        search(self.judge.canaries, self.servers, self.world.folder)

    @property
    def ended(self) -> list[str]:
        """The members that have ended though nobody asked them to."""
        return [member.name for member in self.fleet.all if not member.process.running]

    def close(self) -> None:
        """End everything that still runs; the servers stay."""
        self.source.on = self.officers.on = False
        self.fleet.close()
        if self.reader.is_alive():
            self.reader.finish()
        self.clients.finish()
