"""A stateful service on a real Kafka and a real store: end to end, over restarts, with its timers."""

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import replace
from threading import Thread
from typing import Any

import pytest

from shared.bus import Service
from shared.bus.letters import send_again
from shared.bus.parking import Parking
from shared.bus.parking import record_of as as_consumed
from shared.contracts import CommandAccepted, Topic, decode
from shared.store import open_store
from shared.telemetry import Reason
from tests.bus.live import World, drained, owns, sources
from tests.bus.support import header, raw_record, until, value_of
from tests.bus.tally import ALARM_SECONDS, Tally, command
from tests.bus.wire import WRONG_NAME

pytestmark = pytest.mark.real_kafka
FAST = {"CLOCK_RATE": "30", "CLOCK_ANCHOR": "2026-01-01T00:00:00Z"}
"""The sixty seconds of an alarm last two."""


@pytest.fixture
def tallying(kafka_url: str, store_url: str) -> World:
    """A stateful service's world, on a clock that runs fast."""
    return World(kafka_url, store_url, extra=FAST)


def tally_service(world: World, *inputs: Topic, out: Topic) -> tuple[Service, Tally]:
    service, tally = Service(world.name), Tally(out)
    service.decide(*inputs, by=tally)
    return service, tally


async def told(world: World, out: Topic, count: int) -> list[CommandAccepted]:
    found = await world.arrived(out, count)
    assert len({header(record, "ce_id") for record in found}) == count
    return [decode(record.value, record.headers).data for record in found]


async def test_state_and_timers_outlive_a_restart_and_nothing_is_done_twice(tallying: World) -> None:
    world = tallying
    urgent, source = world.topic("urgent", 3, urgent=True), world.topic("in", 3)
    out = replace(world.topic("out", 2), key="desk")
    await world.topics(urgent, source, out=out)
    desks = [f"d{n}" for n in range(6)]
    service, first_tally = tally_service(world, urgent, source, out=out)
    async with world.running(service) as first:
        await owns(first, 3)
        await world.send(*(command("add", d, 1, topic=source) for d in desks for _ in range(20)))
        await world.send(command("alarm", "d1", 1, topic=urgent), command("add", "d1", 5, topic=urgent))
        await until(drained(first, 122), "all decided")
        await until(lambda: first.ready().ok, "readiness, store included")
        assert first.live().ok
    assert len(first_tally.decided) >= 122
    service, _ = tally_service(world, urgent, source, out=out)
    async with world.running(service) as second:
        await world.send(*(command("add", d, 1, topic=source) for d in desks))
        answers = await told(world, out, 6 * 21 + 2)
        assert value_of(second.metrics.redone, source.name) == 0
    [alarm] = [answer for answer in answers if answer.verb == "timer.fired"]
    assert alarm.desk == "d1"
    for desk in desks:
        sums = [
            answer.incident_id for answer in answers if answer.desk == desk and answer.verb == "tally.add"
        ]
        final = 26 if desk == "d1" else 21
        assert sums[-1] == f"sum-{final}"
        assert len(sums) == (22 if desk == "d1" else 21)


def freeze(seconds: float, meanwhile: Coroutine[Any, Any, None]) -> None:
    """Stop the event loop for so long, as when its process is stopped, while somebody else does something."""
    other = Thread(target=asyncio.run, args=[meanwhile])
    other.start()
    time.sleep(seconds)
    other.join()


async def test_what_was_said_while_the_process_stood_still_is_heard_before_a_timer_fires(
    kafka_url: str, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.bus.lanes.SILENT_SECONDS", 1.0)
    world = World(kafka_url, store_url, extra=FAST | {"CLOCK_RATE": "20", "KAFKA_SESSION_SECONDS": "30"})
    urgent, out = world.topic("urgent", urgent=True), replace(world.topic("out"), key="desk")
    await world.topics(urgent, out=out)
    service, _ = tally_service(world, urgent, out=out)
    async with world.running(service) as runtime:
        await world.send(command("alarm", "d1", 1, topic=urgent))
        await until(drained(runtime, 1), "the alarm is set")
        freeze(ALARM_SECONDS / 20 + 1.5, world.send(command("cancel", "d1", 1, topic=urgent)))
        await until(drained(runtime, 2), "the alarm is cancelled")
        assert value_of(runtime.metrics.timers_fired) == 0


async def test_what_is_marked_overtakes_other_keys_and_never_its_own(tallying: World) -> None:
    world = tallying
    source, out = world.topic("in"), replace(world.topic("out"), key="desk")
    source = replace(source, overtaking=b'"note":"1000"')
    await world.topics(source, out=out)
    before = [command("add", f"d{n % 3}", 1, topic=source) for n in range(1_200)]
    marked = command("add", "d2", 1_000, topic=source)
    await world.send(*before, marked, command("add", "d2", 1, topic=source))
    service, tally = tally_service(world, source, out=out)
    async with world.running(service):
        answers = await told(world, out, 1_202)
    assert [a.incident_id for a in answers if a.desk == "d0"] == [f"sum-{n}" for n in range(1, 401)]
    assert [a.incident_id for a in answers if a.desk == "d2"][-2:] == ["sum-1400", "sum-1401"]
    place = [a.incident_id for a in answers].index("sum-1400")
    assert len([a for a in answers[:place] if a.desk != "d2"]) < 700
    assert len(tally.decided) == 1_202


async def test_what_was_decided_and_not_committed_to_kafka_is_recognised_after_a_crash(
    tallying: World,
) -> None:
    world = tallying
    source, out = world.topic("in"), replace(world.topic("out"), key="desk")
    await world.topics(source, out=out)
    service, _ = tally_service(world, source, out=out)
    await world.send(*(command("add", "d1", 1, topic=source) for _ in range(10)))
    async with world.running(service, COMMIT_INTERVAL_MS="3600000") as first:
        await until(drained(first, 10), "all decided")
        for worker in first.consumers[0].workers.values():
            worker.processed.clear()  # as after kill -9: no offset was committed
    service, tally = tally_service(world, source, out=out)
    async with world.running(service) as second:
        await until(drained(second, 10), "all read again")
        assert value_of(second.metrics.redone, source.name) == 10
        await world.send(command("add", "d1", 1, topic=source))
        answers = await told(world, out, 11)
    assert [answer.incident_id for answer in answers] == [f"sum-{n}" for n in range(1, 12)]
    assert len(tally.decided) == 1


async def test_a_desk_is_owned_whole_and_its_state_moves_with_it(tallying: World) -> None:
    world = tallying
    urgent, source = world.topic("urgent", 4, urgent=True), world.topic("in", 4)
    out = replace(world.topic("out"), key="desk")
    await world.topics(urgent, source, out=out)
    desks = [f"d{n}" for n in range(8)]
    service, _ = tally_service(world, urgent, source, out=out)
    async with world.running(service) as first:
        await world.send(*(command("add", d, 1, topic=source) for d in desks))
        await told(world, out, 8)
        other, _ = tally_service(world, urgent, source, out=out)
        async with world.running(other) as second:
            await owns(first, 2)
            await owns(second, 2)
            for member in (first, second):
                numbers = {s.partition for s in sources(member)}
                assert len(sources(member)) == 3 * len(numbers)
            await world.send(*(command("add", d, 1, topic=urgent) for d in desks))
            answers = await told(world, out, 16)
    assert sorted(a.incident_id or "" for a in answers) == ["sum-1"] * 8 + ["sum-2"] * 8


async def test_poison_of_a_stateful_service_is_set_aside_and_its_replay_is_decided_once(
    tallying: World,
) -> None:
    world = tallying
    source, out = world.topic("in"), replace(world.topic("out"), key="desk")
    await world.topics(source, out=out)
    service, tally = tally_service(world, source, out=out)
    tally.refuses = True
    await world.send(command("add", "d1", 1, topic=source), command("refuse", "d1", 7, topic=source))
    async with world.running(service) as runtime:
        [letter] = await world.arrived(source.dlq(world.name), 1)
        assert value_of(runtime.metrics.dead_lettered, source.name, Reason.HANDLER_ERROR) == 1
        tally.refuses = False
        await send_again(world.settings(), [letter, letter])
        answers = await told(world, out, 2)
        await until(lambda: value_of(runtime.metrics.redone, f"{world.name}.replay") == 1, "the second")
    assert [answer.verb for answer in answers] == ["tally.add", "tally.refuse"]


async def test_a_record_with_any_header_can_be_parked_on_every_store(store_url: str) -> None:
    store = open_store(store_url)
    await store.start()
    try:
        names = [WRONG_NAME.decode("utf-8", "surrogateescape"), "plain", "ไทย"]
        record = raw_record("t", b"key", b"\xff", [(name, b"\xff") for name in names])
        parking = Parking(store, "group", 0)
        await parking.save(parking.park(record, Reason.BAD_BODY))
        again = Parking(store, "group", 0)
        await again.load()
        assert again.closed
        [parked] = await again.reopen(raw_record("group.replay", b"key", b"", ()))
        assert list(as_consumed(parked).headers) == list(record.headers)
    finally:
        await store.close()
