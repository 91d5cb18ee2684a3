"""Reads every topic from its beginning while the run goes on, and tells the judge and the officers."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from tests.crash.reader import SETTINGS
from tests.crash.services.judge import LOCATED, Judge
from tests.crash.services.seen import Seen, seen


class Reader(threading.Thread):
    """`topics`: how many partitions each has. `heard` gets the records of `incidents`, repeats too."""

    def __init__(
        self, kafka: str, topics: Mapping[str, int], judge: Judge, heard: Callable[[Seen], None]
    ) -> None:
        super().__init__(name="reader", daemon=True)
        self._consumer = Consumer({"bootstrap.servers": kafka, **SETTINGS, "fetch.min.bytes": 1})
        self._topics, self._judge, self._heard = topics, judge, heard
        self._stop_asked = threading.Event()
        self.guard = threading.Lock()
        """Held while the judge is told something."""
        self.places: dict[str, int] = {}
        """The partition of each desk's inputs."""
        self.last_news = time.monotonic()
        self.troubles: list[str] = []

    def run(self) -> None:
        places = [(topic, n) for topic, count in self._topics.items() for n in range(count)]
        self._consumer.assign([TopicPartition(topic, n, OFFSET_BEGINNING) for topic, n in places])
        while not self._stop_asked.is_set():
            for message in self._consumer.consume(200, timeout=0.05):
                if message.error() is None:
                    self._see(message)
        self._consumer.close()

    def finish(self) -> None:
        """Stop reading."""
        self._stop_asked.set()
        self.join()

    def _see(self, message: Any) -> None:
        place = message.topic(), message.partition()
        record = seen(*place, message.key(), message.value(), message.headers() or ())
        try:
            self._tell(record)
        except (ValueError, KeyError, TypeError) as error:
            self.troubles.append(f"{record.topic}: {error!r}")

    def _tell(self, record: Seen) -> None:
        with self.guard:
            if self._judge.see(record):
                self.last_news = time.monotonic()
        if record.topic == "incidents":
            self._heard(record)
        elif record.topic in LOCATED:
            self.places[record.key.decode()] = record.partition
