"""The load and the stop-watch of the benches: fills topics, and times a relay from outside, not by its word.

The clock starts when the group's coordinator calls the group stable (before that no member can fetch) and
stops when the end offsets of the output topic show every record acknowledged. So a relay cannot game it, and
its start-up (interpreter, imports, joining) does not count.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from confluent_kafka import Consumer, ConsumerGroupState, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]

from shared.contracts.ids import new_id
from shared.contracts.kafka import Record, encode
from shared.contracts.report import Reporter, ReportReceived
from shared.contracts.values import GeoPoint, Priority, Sealed

PARTITIONS = 6
DEADLINE_S = 120.0
SAMPLED_EVERY = 100
NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)
FILLER = {
    "acks": "all",
    "linger.ms": 20,
    "batch.size": 1_000_000,
    "partitioner": "murmur2_random",  # the one of aiokafka and Java, so a key lands where theirs does
}


@dataclass(frozen=True, slots=True)
class Count:
    """What is on a topic: records, different `ce_id`s, different record keys."""

    records: int
    ids: int
    keys: int


class Broker:
    """The broker as an operator sees it, through another client (librdkafka) than the measured ones use."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._admin = AdminClient({"bootstrap.servers": url})

    def create(self, topic: str) -> str:
        """Create `topic` with six partitions and return its name; raises KafkaException when it exists."""
        self._admin.create_topics([NewTopic(topic, PARTITIONS)])[topic].result()
        return topic

    def delete(self, topic: str) -> None:
        """Delete `topic`: 300,000 records are 300 MB that nobody needs after the run."""
        self._admin.delete_topics([topic])[topic].result()

    def is_stable(self, group: str) -> bool:
        """Return whether the members of `group` have been given their partitions."""
        described = self._admin.describe_consumer_groups([group])[group]
        return described.exception() is None and described.result().state == ConsumerGroupState.STABLE

    def ends(self, topic: str) -> list[int]:
        """Return how many acknowledged records each partition has, given that none was ever deleted."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(topic, partition): latest for partition in range(PARTITIONS)}
        return [end.result().offset for end in self._admin.list_offsets(asked).values()]

    def fill(self, topic: str, count: int, keys: int) -> None:
        """Append `count` reports over `keys` keys to an empty `topic`; returns when all are acknowledged."""
        producer = Producer({"bootstrap.servers": self.url, **FILLER})
        for record in reports(topic, count, keys):
            _produce(producer, record)
        producer.flush(DEADLINE_S)
        if sum(self.ends(topic)) != count:
            raise RuntimeError(f"{topic} took {sum(self.ends(topic))} of {count} records")

    def count(self, topic: str) -> Count:
        """Read `topic` from its first record to its present end, and count."""
        ids, keys, records = set[object](), set[object](), 0
        left = sum(self.ends(topic))
        consumer = Consumer({"bootstrap.servers": self.url, "group.id": "bench-count"})
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
        while left and (messages := consumer.consume(min(left, 10_000), timeout=10.0)):
            for message in messages:
                ids.add(dict(message.headers() or ()).get("ce_id"))
                keys.add(message.key())
            records, left = records + len(messages), left - len(messages)
        consumer.close()
        return Count(records, len(ids), len(keys))


def reports(topic: str, count: int, keys: int) -> Iterator[Record]:
    """Yield `count` records with ids of their own, round the keys; one in a hundred is sampled."""
    templates = [report(topic, new_id()) for _ in range(keys)]
    for n in range(count):
        template = templates[n % keys]
        yield replace(template, headers=_own_headers(template, new_id(), n % SAMPLED_EVERY == 0))


def report(topic: str, key: str) -> Record:
    """Return a report keyed by `key`, as intake would write it; its `ce_id` is the key."""
    data = ReportReceived(
        report_id=key,
        received_at=NOON,
        reported_at=NOON,
        channel="line",
        reporter=Reporter.CITIZEN,
        category="road_accident",
        priority=Priority.P2,
        text="รถชนกันหน้าตลาด มีคนเจ็บ 2 คน",
        point=GeoPoint(lat=16.418807, lon=101.156258),
        sealed=Sealed(key_id=key, nonce="A" * 16, ciphertext="A" * 24),
    )
    return encode(topic, key, data, id=key, source="/bench", time=NOON, traceparent=None)


def _own_headers(template: Record, ce_id: str, sampled: bool) -> list[tuple[str, bytes | None]]:
    trace = ce_id.replace("-", "")
    own = {"ce_id": ce_id.encode(), "traceparent": f"00-{trace}-{trace[16:]}-{sampled:02d}".encode()}
    return list({**dict(template.headers), **own}.items())


def _produce(producer: Producer, record: Record) -> None:
    try:
        producer.produce(record.topic, record.value, record.key, headers=dict(record.headers))
    except BufferError:
        producer.poll(1.0)
        _produce(producer, record)


def time_relay(broker: Broker, relay: subprocess.Popen[bytes], out: str, group: str, count: int) -> float:
    """Return the seconds from the group being stable to all `count` records being acknowledged on `out`.

    Raises RuntimeError when the relay ends too soon, TimeoutError when it is not done in two minutes. Its
    output must not go to a pipe nobody reads: a relay that logs fills it and stands still.
    """
    until_stable(broker, group, relay)
    start = time.perf_counter()
    _until(lambda: sum(broker.ends(out)) >= count, relay)
    return time.perf_counter() - start


def until_stable(broker: Broker, group: str, relay: subprocess.Popen[bytes]) -> None:
    """Return when the members of `group` have their partitions; raises when `relay` ends before that."""
    _until(lambda: broker.is_stable(group), relay)


def _until(condition: Callable[[], bool], relay: subprocess.Popen[bytes]) -> None:
    deadline = time.perf_counter() + DEADLINE_S
    while not condition():
        if relay.poll() is not None and not condition():
            raise RuntimeError(f"the relay ended with {relay.returncode} before its work was done")
        if time.perf_counter() > deadline:
            raise TimeoutError(f"the relay was not done after {DEADLINE_S:.0f} s")
        time.sleep(0.003)
