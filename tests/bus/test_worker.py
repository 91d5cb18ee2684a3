"""A worker leaves room for the others of its process, however much there is to do."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from shared.bus.accepted import accepted_by
from shared.bus.emit import Encoder
from shared.bus.lanes import Lane, Lanes
from shared.bus.observer import Observer
from shared.bus.publisher import Delivery, Publisher
from shared.bus.stateless import Each
from shared.bus.turnstile import Hurry, Turnstile
from shared.bus.worker import LISTEN_SECONDS, Worker
from shared.clock import ManualClock
from shared.contracts import Event, Record, ReportReceived
from shared.telemetry import Tracing
from tests.bus.desk import Desk
from tests.bus.support import (
    NOW,
    Unpacked,
    consumed,
    record_of,
    report,
    until,
    value_of,
    workplace,
)
from tests.bus.tally import ALARM_SECONDS, command

SOURCE = TopicPartition("reports", 0)


def seen(event: Event[ReportReceived]) -> None:
    """A handler that has nothing to say."""


def busy_worker(records: int, turnstile: Turnstile, *, vital: bool = False) -> Worker:
    """A worker with so many records in its lane."""
    place = workplace()
    lane = Lane(SOURCE, urgent=vital, hurry=Hurry.VITAL if vital else Hurry.WAITED_FOR)
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


async def deliver(records: Sequence[Record]) -> Delivery:
    """Take records as a broker does that acknowledges them at once."""
    delivery = Delivery(len(records))
    delivery.settle(len(records))
    return delivery


def desk_worker(desk: Desk, lane: Lane, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """A worker of the desk's partition with one urgent lane."""
    observer = Observer("tester", "decide", desk.metrics, Tracing(0.0), desk.clock)
    publisher = Publisher(AIOKafkaProducer, desk.metrics)
    monkeypatch.setattr(publisher, "publish", deliver)
    lanes = Lanes([lane], asyncio.Event())
    return Worker(0, lanes, desk.stateful, publisher, observer, {}, Turnstile())


def cancelling(timestamp_ms: float) -> Unpacked:
    """A command that cancels the alarm, as it was written at that time."""
    said = command("cancel", note=1)
    return Unpacked([replace(consumed(said, 1), timestamp=int(timestamp_ms))], 1)  # type: ignore[type-var]


@pytest.mark.parametrize(("age_s", "fires"), [(3600.0, False), (-3600.0, True)])
async def test_what_was_said_before_a_timer_was_due_is_heard_before_it_fires(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, age_s: float, fires: bool
) -> None:
    await desk.take(command("alarm", note=1))
    desk.clock.advance(ALARM_SECONDS + 1)
    lane = Lane(SOURCE, urgent=True)
    lane.offer(cancelling((time.time() - age_s) * 1000))
    worker = desk_worker(desk, lane, monkeypatch)
    worker.start()
    await until(lambda: worker.idle and worker.processed, "the command is done")
    await worker.stop(5.0)
    assert value_of(desk.metrics.timers_fired) == fires


async def test_no_timer_fires_before_its_new_owner_knows_what_has_been_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.take(command("alarm", note=1))
    desk.clock.advance(ALARM_SECONDS + 1)
    lane = Lane(SOURCE, urgent=True)
    worker = desk_worker(desk, lane, monkeypatch)
    worker.start()
    began = time.monotonic()
    await until(
        lambda: worker._moved > began + 2 * LISTEN_SECONDS, "the worker has had time to do its duties"
    )
    assert value_of(desk.metrics.timers_fired) == 0
    for answered_ms in (time.time() * 1000 + ms for ms in (3_600_000, 3_600_001)):
        lane.look(answered_ms)
        lane.hear(0, 0)
    await until(lambda: value_of(desk.metrics.timers_fired), "the timer fires")
    await worker.stop(5.0)


async def test_a_timer_fires_in_the_end_though_nothing_is_heard(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def listen(lanes: Iterable[Lane]) -> None:
        for lane in lanes:
            lane.look(None)

    monkeypatch.setattr("shared.bus.lanes.SILENT_SECONDS", 0.2)
    await desk.take(command("alarm", note=1))
    desk.clock.advance(ALARM_SECONDS + 1)
    worker = desk_worker(desk, Lane(SOURCE, urgent=True), monkeypatch)
    worker.listen = listen
    worker.start()
    await until(lambda: value_of(desk.metrics.timers_fired), "the timer fires")
    await worker.stop(5.0)
