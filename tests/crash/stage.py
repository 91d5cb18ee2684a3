"""One run's servers, stream and witnesses, and the questions every scenario asks of them."""

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pymongo import MongoClient

from deploy.local.cluster import KafkaCluster
from deploy.local.kafka import native_kafka
from deploy.local.store import MongoServer, native_mongo
from deploy.local.wait import poll
from tests.crash.checker import Verdict
from tests.crash.fleet import Fleet
from tests.crash.ledger import Ledger
from tests.crash.names import World
from tests.crash.reader import Reader
from tests.crash.source import Source
from tests.crash.takeover import Takeover

SETTLE_SECONDS = 180.0
TAKEOVER_SECONDS = 60.0
JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
"""Brokers that live for minutes do not earn back what the optimising compiler takes from two cores."""
EXIT_UNAVAILABLE = 75
"""The exit code of a run on a machine that cannot run the servers."""


@dataclass(frozen=True)
class Servers:
    """A Kafka and a store that the run may kill."""

    kafka: KafkaCluster
    store: MongoServer
    brokers: int
    files: Path
    """Where the store keeps its databases."""


@contextmanager
def servers(directory: Path, brokers: int) -> Iterator[Servers]:
    """Start real servers of our own. Raises Unavailable where the machine cannot run them."""
    os.environ.setdefault("JAVA_TOOL_OPTIONS", JAVA)
    files = directory / "store"
    with native_kafka(directory / "kafka", brokers) as kafka, native_mongo(files) as store:
        yield Servers(kafka, store, brokers, files)


def index_ids(database: Path) -> None:
    """Give FerretDB the index its queries for an `_id` ask for: its own has another spelling.

    Without it every look at one commit reads the whole log (FerretDB 1.24.2, `metadata.IDColumn`).
    """
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        tables = connection.execute("SELECT table_name FROM _ferretdb_collections").fetchall()
        for (table,) in tables:
            connection.execute(
                f'CREATE INDEX IF NOT EXISTS "{table}_by_id" ON "{table}" (_ferretdb_sjson->\'$._id\')'
            )


@dataclass(frozen=True)
class Load:
    """What the source offers."""

    seed: int
    rate: int
    keys: int


class Stage:
    """A stream in a world of its own, on `servers`; nothing runs before `begin`."""

    def __init__(
        self, servers: Servers, prefix: str, directory: Path, load: Load, members: int = 2, control: str = ""
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.servers, self.load = servers, load
        self.world, self.ledger = World(prefix), Ledger()
        self._database, self._file = f"{servers.store.url}/{prefix}", servers.files / f"{prefix}.sqlite"
        url = servers.kafka.url
        self.fleet = Fleet(url, self._database, self.world, directory, members, control)
        self.source = Source(url, self.world, self.ledger, load.seed, load.rate, load.keys)
        self.reader = Reader(url, self.world, self.ledger)

    def begin(self, placed: Mapping[str, Sequence[int]] | None = None) -> None:
        """Create the topics, start everything, and wait until the whole stream flows."""
        self.fleet.create_topics(min(3, self.servers.brokers), placed)
        self.reader.start()
        self.fleet.start()
        index_ids(self._file)
        self.source.start()
        self.settle()

    def close(self) -> None:
        """End everything that still runs; the servers stay."""
        if self.source.is_alive():
            self.source.finish()
        self.fleet.close()
        if self.reader.is_alive():
            self.reader.finish()

    def settle(self) -> None:
        """Wait until every report sent so far has come out at the end."""
        target = len(self.ledger) + self.load.rate // 2
        poll(lambda: self.reader.settled() >= target, SETTLE_SECONDS, f"report {target} to come out")

    def drain(self, quiet: float) -> None:
        """End the source and wait until all is out, or until nothing new has come for `quiet` seconds."""
        self.source.finish()
        end = len(self.ledger)
        self.reader.last_news = time.monotonic()
        while time.monotonic() - self.reader.last_news < quiet:
            if self.reader.settled() >= end and self.verdict().green:
                return
            time.sleep(0.5)

    def watch(self, takeover: Takeover) -> Takeover:
        """Have the reader tell `takeover`, and no other, what it sees from now on."""
        self.reader.takeover = takeover
        return takeover

    def verdict(self) -> Verdict:
        """Judge what the reader has read so far."""
        return self.reader.checker.verdict(self.parked())

    def parked(self) -> set[int]:
        """Return the numbers of the reports that the store holds back, read past the kernel."""
        with MongoClient[dict[str, bytes]](self._database) as client:
            kept = client.get_default_database()["parked"].find({}, {"value": True})
            return {number_in(document["value"]) for document in kept}


def number_in(value: bytes) -> int:
    """Return the number in the body of a located report."""
    text = value.partition(b'"number":')[2]
    return int(text[: text.index(b",")])


def completed(takeover: Takeover) -> list[float]:
    """Wait for a takeover; return its seconds, one for each input. Raises TimeoutError."""
    if not takeover.complete.wait(TAKEOVER_SECONDS):
        raise TimeoutError(f"nobody took over inputs {takeover.left} of {takeover.role}")
    return takeover.seconds
