"""Reads every topic from its beginning while the run goes on, with a client that is not the kernel's."""

import threading
import time
from itertools import product
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from tests.crash.checker import Checker, sighting
from tests.crash.ledger import Ledger
from tests.crash.names import PARTITIONS, World
from tests.crash.takeover import ROLE_BEHIND, Origins, Takeover

SETTINGS = {
    "group.id": "crash-reader",
    "enable.auto.commit": False,
    "auto.offset.reset": "error",
    "fetch.min.bytes": 100_000,  # a look every 50 ms is enough, and leaves the cores to those who are watched
    "fetch.wait.max.ms": 50,
    "fetch.error.backoff.ms": 100,
    "log_level": 0,
}


class Reader(threading.Thread):
    """Feeds the checker, and whoever waits for a takeover."""

    def __init__(self, url: str, world: World, ledger: Ledger) -> None:
        super().__init__(name="reader", daemon=True)
        self._consumer = Consumer({"bootstrap.servers": url, **SETTINGS})
        self._parts, self._ledger = world.read, ledger
        self._stop_asked = threading.Event()
        self.checker, self.origins = Checker(ledger), Origins(ledger)
        self.takeover: Takeover | None = None
        self.last_news = time.monotonic()
        """When the last new effect came."""
        self._settled = 0

    def run(self) -> None:
        places = product(self._parts, range(PARTITIONS))
        self._consumer.assign([TopicPartition(topic, n, OFFSET_BEGINNING) for topic, n in places])
        while not self._stop_asked.is_set():
            for message in self._consumer.consume(500, timeout=0.05):
                if message.error() is None:
                    self._see(message)
        self._consumer.close()

    def finish(self) -> None:
        """Stop reading."""
        self._stop_asked.set()
        self.join()

    def settled(self) -> int:
        """Return how many reports, from the first on, have brought about everything they should."""
        end = len(self._ledger)
        while self._settled < end and self.checker.settled(self._settled):
            self._settled += 1
        return self._settled

    def _see(self, message: Any) -> None:
        topic = message.topic()
        part, headers = self._parts[topic], message.headers() or ()
        place = part, topic, message.partition()
        seen = sighting(*place, message.key(), message.value(), headers, message.timestamp()[1] / 1000)
        if self.checker.see(seen):
            self.last_news = time.monotonic()
        if (role := ROLE_BEHIND.get(part)) is not None:
            origin = self.origins.of(seen)
            if self.takeover is not None:
                self.takeover.see(role, origin, seen)
