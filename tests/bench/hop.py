"""How long one record takes through a relay at a given rate, and what the relay's process burns meanwhile.

Records are sent at their own times, whether or not earlier ones have arrived, so waiting is not hidden. The
clock is the bench's own on both ends.
"""

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from uuid import uuid4

import psutil
from confluent_kafka import Consumer, Producer, TopicPartition

from shared.contracts.ids import new_id
from tests.bench.load import PARTITIONS, Broker, report, until_stable
from tests.bench.relays import Relay, topics_of
from tests.bench.tables import percentile

WARM_UP = 0.2
"""Share of the run that is not counted."""
LATE_S = 20.0


def hop(broker: Broker, relay: Relay, rate: int, seconds: float, data: Path) -> dict[str, float]:
    """Return p50 and p99 in ms and the cores used, at `rate` records a second for `seconds`."""
    source, out, group = (f"hop-{kind}-{uuid4().hex[:8]}" for kind in ("in", "out", "group"))
    topics = [broker.create(name) for name in (source, out, *topics_of(relay, source, group))]
    count = int(rate * seconds)
    command = relay.command(broker.url, source, out, group, count, data)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            until_stable(broker, group, process)
            received: dict[str, float] = {}
            reader = Thread(target=_read, args=(broker.url, out, count, received))
            reader.start()
            sent, cores = _send(broker.url, source, rate, count, process.pid)
            reader.join()
        finally:
            process.kill()
    for topic in topics:
        broker.delete(topic)
    return _figures(sent, received, cores)


def _figures(sent: Mapping[str, float], received: Mapping[str, float], cores: float) -> dict[str, float]:
    counted = list(sent)[int(WARM_UP * len(sent)) :]
    if missing := [key for key in counted if key not in received]:
        raise RuntimeError(f"{len(missing)} of {len(sent)} records did not arrive")
    took = [(received[key] - sent[key]) * 1000 for key in counted]
    return {"p50 ms": percentile(took, 0.5), "p99 ms": percentile(took, 0.99), "cores": cores}


def _send(kafka: str, topic: str, rate: int, count: int, pid: int) -> tuple[dict[str, float], float]:
    producer = Producer({"bootstrap.servers": kafka, "linger.ms": 0, "partitioner": "murmur2_random"})
    process, sent = psutil.Process(pid), dict[str, float]()
    start, burnt = time.perf_counter(), 0.0
    measured_from = start
    for n in range(count):
        if n == int(WARM_UP * count):
            measured_from, burnt = time.perf_counter(), _cpu(process)
        time.sleep(max(0.0, start + n / rate - time.perf_counter()))
        key = new_id()
        record = report(topic, key)
        sent[key] = time.perf_counter()
        producer.produce(topic, record.value, record.key, headers=dict(record.headers))
        producer.poll(0)
    cores = (_cpu(process) - burnt) / (time.perf_counter() - measured_from)
    producer.flush()
    return sent, cores


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _read(kafka: str, topic: str, count: int, received: dict[str, float]) -> None:
    config = {"bootstrap.servers": kafka, "group.id": "bench-hop", "fetch.wait.max.ms": 5}
    consumer = Consumer(config)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
    deadline = time.perf_counter() + LATE_S
    while len(received) < count and time.perf_counter() < deadline:
        message = consumer.poll(0.05)
        if message is not None and message.error() is None:
            received.setdefault((message.key() or b"").decode(), time.perf_counter())
            deadline = time.perf_counter() + LATE_S
    consumer.close()
