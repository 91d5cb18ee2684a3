"""What tests of the kernel are made of: events, consumed records, workplaces, and waiting for a condition."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry

from shared.bus.incoming import Fetched, Incoming
from shared.bus.parking import Parking
from shared.bus.patience import Patience
from shared.bus.processor import Workplace
from shared.clock import Clock, ManualClock
from shared.contracts import EventData, Record, ReportReceived, Topic, encode
from shared.contracts.ids import new_id
from shared.contracts.report import Reporter
from shared.store import GroupCommit, Store
from shared.telemetry import Metrics

NOW = datetime(2026, 1, 1, tzinfo=UTC)
R = TypeVar("R")


def report(number: int = 1, **fields: Any) -> ReportReceived:
    """A report with a number for an id."""
    return ReportReceived(
        report_id=f"rep-{number}", received_at=NOW, channel="web", reporter=Reporter.CITIZEN, **fields
    )


def record_of(topic: Topic | str, data: EventData, key: str | None = None, id_: str | None = None) -> Record:
    """A root event on `topic` as the platform would write it."""
    name, routed = (topic, data.subject) if isinstance(topic, str) else (topic.name, topic.key_of(data))
    return encode(name, key or routed, data, id=id_ or new_id(), source="/test", time=NOW, traceparent=None)


def consumed(record: Record, offset: int = 0, partition: int = 0) -> Incoming:
    """`record` as the kernel takes it in."""
    return raw_record(record.topic, record.key, record.value, record.headers, offset, partition)


def raw_record(
    topic: str,
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[tuple[str, bytes | None]] = (),
    offset: int = 0,
    partition: int = 0,
) -> Incoming:
    """Any record, an event or not, as the kernel takes it in."""
    return Fetched(topic, partition, offset, int(NOW.timestamp() * 1000), key, value, tuple(headers))


@dataclass
class Unpacked:
    """A stretch of a partition that needs no unpacking."""

    rows: Sequence[Incoming]
    offset: int = 0
    end: int = 0

    @property
    def next_offset(self) -> int:
        return self.end or self.rows[-1].offset + 1

    @property
    def size(self) -> int:
        return sum(len(row.value or b"") for row in self.rows)

    @property
    def first_ms(self) -> int:
        return self.rows[0].timestamp

    def may_hold(self, pieces: Iterable[bytes]) -> bool:
        whole = b"".join((row.key or b"") + (row.value or b"") for row in self.rows)
        return any(piece in whole for piece in pieces)

    def records(self) -> Iterator[Incoming]:
        return (row for row in self.rows if row.offset >= self.offset)


def filler(source: TopicPartition, offsets: Sequence[int], size: int = 1) -> Unpacked:
    """Records of which only place and size matter, as they are fetched."""
    rows = [raw_record(source.topic, b"k", b"x" * size, (), n, source.partition) for n in offsets]
    return Unpacked(rows, offsets[0])


def header(record: Record | Incoming, name: str) -> bytes | None:
    """The last header of that name."""
    found: dict[str, bytes | None] = dict(record.headers)
    return found.get(name)


def new_metrics() -> Metrics:
    """Metrics on a registry of their own."""
    return Metrics(CollectorRegistry())


def value_of(metric: Any, *labels: Any) -> float:
    """The present value of a counter or gauge."""
    child = metric.labels(*labels) if labels else metric
    return float(child._value.get())


def workplace(
    store: Store | None = None,
    clock: Clock | None = None,
    *,
    group: str = "tester",
    parks: bool = False,
    metrics: Metrics | None = None,
) -> Workplace:
    """A place to work at without a broker."""
    metrics = metrics or new_metrics()
    parking = Parking(store if parks else None, group, 0)
    appends = GroupCommit(store.append) if store else None
    return Workplace(group, 0, parking, Patience(metrics), metrics, clock or ManualClock(NOW), store, appends)


async def until(
    condition: Callable[[], R | Awaitable[R | None] | None], what: str, seconds: float = 20.0
) -> R:
    """The first truthy answer of `condition`; fails, naming `what`, after `seconds` without one."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        answer = await found if isinstance(found, Awaitable) else found
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.02)
