"""Reports that wait already: put on the topic as intake would, and looked for where an agency sees them."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from confluent_kafka import Consumer, Producer, TopicPartition

from services.intake.draft import event_body, judge
from services.intake.report import NewReport
from shared.contracts.ids import new_id
from shared.contracts.kafka import Record, encode
from shared.contracts.topics import REPORTS_RECEIVED, agency_incidents
from shared.contracts.values import Sealed
from shared.load.mix import People, parse_mix, points_of
from shared.load.watch import trace_of
from tests.bench.load import FILLER
from tests.bench.stream.town import AGENCY

QUIET_S = 20.0
FLUSH_S = 120.0


def ordinary(count: int, mix: str, seed: int) -> Iterator[tuple[str, Record]]:
    """Yield `count` reports on the ordinary lane, each with its trace id."""
    dice = random.Random(seed)
    people = People(parse_mix(mix), points_of(None, seed), seed)
    for _, body in islice(people, count):
        trace, id_, now = f"{dice.getrandbits(128):032x}", new_id(), datetime.now(UTC)
        sent = NewReport.model_validate_json(body)
        sealed = Sealed(key_id=id_, nonce="A" * 16, ciphertext="A" * 400)
        data = event_body(sent, id_, now, judge(sent), sealed)
        context = f"00-{trace}-{trace[:16]}-00"
        topic = REPORTS_RECEIVED.name
        yield trace, encode(topic, id_, data, id=id_, source="/ruamjai/intake", time=now, traceparent=context)


def fill(kafka: str, count: int, mix: str, seed: int = 999) -> set[str]:
    """Put `count` reports there and return their trace ids; returns when all are acknowledged."""
    producer, traces = Producer({"bootstrap.servers": kafka, **FILLER}), set[str]()
    for trace, record in ordinary(count, mix, seed):
        traces.add(trace)
        producer.produce(record.topic, record.value, record.key, headers=dict(record.headers))
        producer.poll(0)
        if len(producer) > 50_000:
            producer.flush(FLUSH_S)
    if left := producer.flush(FLUSH_S):
        raise RuntimeError(f"{left} of {count} reports were not acknowledged")
    return traces


class Watch:
    """Reads the agency's topic from now on, and knows which traces have been there."""

    def __init__(self, kafka: str) -> None:
        self._consumer = Consumer({"bootstrap.servers": kafka, "group.id": "bench-watch"})
        topic = agency_incidents(AGENCY)
        places = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        for place in places:
            place.offset = self._consumer.get_watermark_offsets(place, timeout=10.0)[1]
        self._consumer.assign(places)

    def until_seen(self, traces: set[str], seconds: float) -> tuple[int, float]:
        """Return how many of `traces` have come in `seconds`, and when the last did (`perf_counter`)."""
        left, deadline, last = set(traces), time.perf_counter() + seconds, time.perf_counter()
        while left and time.perf_counter() < min(deadline, last + QUIET_S):
            for message in self._consumer.consume(5_000, timeout=0.2):
                trace = trace_of(dict(message.headers() or ()).items())
                if trace in left:
                    left.discard(trace)
                    last = time.perf_counter()
        return len(traces) - len(left), last

    def close(self) -> None:
        """End it."""
        self._consumer.close()
