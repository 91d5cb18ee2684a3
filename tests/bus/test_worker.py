"""A worker leaves room for the others of its process, however much there is to do."""

import asyncio

from aiokafka import AIOKafkaProducer, TopicPartition

from shared.bus.accepted import accepted_by
from shared.bus.emit import Encoder
from shared.bus.lanes import Lane, Lanes
from shared.bus.observer import Observer
from shared.bus.publisher import Publisher
from shared.bus.stateless import Each
from shared.bus.turnstile import Turnstile
from shared.bus.worker import Worker
from shared.clock import ManualClock
from shared.contracts import Event, ReportReceived
from shared.telemetry import Tracing
from tests.bus.support import NOW, Unpacked, consumed, record_of, report, workplace

SOURCE = TopicPartition("reports", 0)


def seen(event: Event[ReportReceived]) -> None:
    """A handler that has nothing to say."""


def busy_worker(records: int, turnstile: Turnstile, *, vital: bool = False) -> Worker:
    """A worker with so many records in its lane."""
    place = workplace()
    lane = Lane(SOURCE, urgent=vital, vital=vital)
    record = record_of(SOURCE.topic, report(), "key")
    lane.offer(Unpacked([consumed(record, n) for n in range(records)]))
    processor = Each(place, accepted_by(seen), seen, Encoder("tester"))
    observer = Observer("tester", "seen", place.metrics, Tracing(0.0), ManualClock(NOW))
    publisher = Publisher(AIOKafkaProducer, place.metrics)
    return Worker(0, Lanes([lane], asyncio.Event()), processor, publisher, observer, {}, turnstile)


async def test_others_have_their_turn_between_two_slices() -> None:
    worker = busy_worker(5_000, Turnstile())
    worker.start()
    turns = 0
    while len(worker.lanes):
        await asyncio.sleep(0)
        turns += 1
    await worker.stop(1.0)
    assert worker.processed == {SOURCE: 5_000}
    assert turns > 5_000 / worker.processor.largest_slice


async def test_what_is_vital_waits_for_one_slice_of_all_the_others_together() -> None:
    turnstile = Turnstile()
    others = [busy_worker(20_000, turnstile) for _ in range(8)]
    for worker in others:
        worker.start()
    while sum(len(worker.lanes) for worker in others) > 100_000:  # slices are as large as they become
        await asyncio.sleep(0)
    vital = busy_worker(1, turnstile, vital=True)
    vital.start()
    before = sum(len(worker.lanes) for worker in others)
    while len(vital.lanes):
        await asyncio.sleep(0)
    meanwhile = before - sum(len(worker.lanes) for worker in others)
    await asyncio.gather(*(worker.stop(0.0) for worker in (*others, vital)))
    # One is through already, one is next, and now and then one goes first whatever is vital.
    assert meanwhile <= 3 * others[0].processor.largest_slice
