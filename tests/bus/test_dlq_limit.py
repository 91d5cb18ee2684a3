"""Too much poison from outsiders closes their topic alone; too much from inside stops the consumer."""

import asyncio
from dataclasses import replace

import pytest

from shared.bus import FatalError, Service
from shared.bus.consumer import HUNGRY
from shared.contracts import Record, Topic
from tests.bus.live import World, drained, shares, workers
from tests.bus.services import relay
from tests.bus.support import header, record_of, report, until, value_of

pytestmark = pytest.mark.real_kafka
LIMIT, WINDOW = 5, 3.0


def limited(service: Service, window: float = WINDOW) -> Service:
    """The service with a limit that a test can reach."""
    [subscription] = service.subscriptions
    service.subscriptions = [replace(subscription, dlq_limit=LIMIT, dlq_window=window)]
    return service


def poison(topic: Topic, count: int) -> list[Record]:
    return [Record(topic.name, b"k", b"poison %d" % n, [], partition=0) for n in range(count)]


async def test_an_outsiders_topic_is_paused_alone_and_opens_again(world: World) -> None:
    ours, theirs, out = world.topic("in"), world.topic("theirs", outsiders=True), world.topic("out")
    await world.topics(ours, theirs, out=out)
    await world.send(*poison(theirs, LIMIT + 1))
    async with world.running(limited(relay(world, ours, theirs, out=out))) as runtime:
        paused = runtime.metrics.paused_inputs
        await until(lambda: value_of(paused, theirs.name) == 1, "their topic is paused")
        await world.send(record_of(theirs, report(2)), record_of(ours, report(1)))
        assert [header(r, "ce_subject") for r in await world.arrived(out, 1)] == [b"rep-1"]
        assert runtime.ready().ok
        assert [header(r, "ce_subject") for r in await world.arrived(out, 2)][1:] == [b"rep-2"]
        await until(lambda: value_of(paused, theirs.name) == 0, "their topic is open again")
        assert runtime.failure is None
    assert len(await world.read(theirs.dlq(world.name))) == LIMIT + 1


async def test_a_topic_is_told_as_paused_no_longer_than_somebody_here_has_it(world: World) -> None:
    theirs, out = world.topic("theirs", 2, outsiders=True), world.topic("out")
    await world.topics(theirs, out=out)
    many = poison(theirs, 3 * LIMIT)
    await world.send(*many, *(replace(record, partition=1) for record in many))
    service = limited(relay(world, theirs, out=out), 3600)
    async with world.running(service) as first:
        paused = first.metrics.paused_inputs
        await until(lambda: value_of(paused, theirs.name) == 2, "both partitions are paused")
        async with world.running(service) as second:
            await shares(2, first, second)
            await until(lambda: value_of(paused, theirs.name) <= 1, "one of them is somebody else's")
    assert value_of(paused, theirs.name) == 0


async def test_a_paused_topic_with_a_long_queue_does_not_keep_the_others_from_being_fetched(
    world: World,
) -> None:
    ours, theirs, out = world.topic("in"), world.topic("theirs", outsiders=True), world.topic("out")
    await world.topics(ours, theirs, out=out)
    flood = [replace(record_of(theirs, report(n)), partition=0) for n in range(3000)]
    await world.send(*poison(theirs, 200), *flood)
    async with world.running(limited(relay(world, ours, theirs, out=out), 3600)) as runtime:
        await until(lambda: value_of(runtime.metrics.paused_inputs, theirs.name) == 1, "they are paused")
        await until(lambda: any(len(w.lanes) >= HUNGRY for w in workers(runtime)), "a long queue")
        already = len(await world.read(out))
        async with asyncio.timeout(6):
            for n in range(1, 6):
                await world.send(record_of(ours, report(n)))
                await world.arrived(out, already + n)


async def test_an_inside_topic_stops_the_consumer_with_a_reason(world: World) -> None:
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    await world.send(*poison(source, 500), record_of(source, report(1)))
    async with world.running(limited(relay(world, source, out=out), 3600)) as runtime:
        failure = await until(lambda: runtime.failure, "the end")
    assert isinstance(failure, FatalError)
    assert source.name in str(failure)
    assert "dead letters" in str(failure)
    assert len(await world.read(source.dlq(world.name))) < 500


async def test_poison_below_the_limit_stops_nothing(world: World) -> None:
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    await world.send(*poison(source, LIMIT), record_of(source, report(1)))
    async with world.running(limited(relay(world, source, out=out), 3600)) as runtime:
        await world.arrived(out, 1)
        await until(drained(runtime, LIMIT + 1), "all processed")
        assert runtime.failure is None
