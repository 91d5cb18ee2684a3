"""Members come and go: nothing is lost, and nobody commits what he does not own any more."""

from collections.abc import Sequence

import pytest
from aiokafka import TopicPartition

from shared.bus.runtime import Runtime
from shared.contracts import Record, Topic
from tests.bus.live import World, in_order, owns, sources, workers
from tests.bus.services import relay
from tests.bus.support import record_of, report, until

pytestmark = pytest.mark.real_kafka
PARTITIONS = 6


def stream(topic: Topic, start: int, end: int) -> list[Record]:
    return [record_of(topic, report(n), f"key-{n % 50}") for n in range(start, end)]


async def shared_by(*members: Runtime) -> None:
    """Return when each member owns some partitions, and together they own all, each once."""

    def settled() -> bool:
        owned = [sources(member) for member in members]
        return all(owned) and sum(map(len, owned)) == len(set().union(*owned)) == 2 * PARTITIONS

    await until(settled, f"{len(members)} members share the partitions")


async def test_members_come_and_go_without_loss_and_the_group_ends_where_the_topic_ends(world: World) -> None:
    source, out = world.topic("in", PARTITIONS), world.topic("out", 2)
    await world.topics(source, out=out)
    service = relay(world, source, out=out)
    async with world.running(service) as first:
        await world.send(*stream(source, 0, 400))
        async with world.running(service) as second:
            await shared_by(first, second)
            await world.send(*stream(source, 400, 800))
            async with world.running(service) as third:
                await world.send(*stream(source, 800, 1200))
                await shared_by(first, second, third)
            await world.send(*stream(source, 1200, 1600))
        await world.send(*stream(source, 1600, 2000))
        await owns(first, PARTITIONS)
        found = await world.arrived(out, 2000)
    assert {n for values in in_order(found).values() for n in values} == _values(0, 2000)
    assert await world.committed(source) == await ends(world, source)


def _values(start: int, end: int) -> set[bytes]:
    return {record.value or b"" for record in stream(Topic("any", key="-"), start, end)}


async def ends(world: World, topic: Topic) -> dict[TopicPartition, int]:
    found = dict.fromkeys((TopicPartition(topic.name, n) for n in range(topic.partitions)), 0)
    for record in await world.read(topic):
        found[TopicPartition(topic.name, record.partition)] = record.offset + 1
    return found


async def test_a_graceful_handover_repeats_nothing(world: World) -> None:
    source, out = world.topic("in", PARTITIONS), world.topic("out", 2)
    await world.topics(source, out=out)
    service = relay(world, source, out=out)
    async with world.running(service) as first:
        await world.send(*stream(source, 0, 300))
        await world.arrived(out, 300)
        async with world.running(service) as second:
            await shared_by(first, second)
            await world.send(*stream(source, 300, 600))
            await world.arrived(out, 600)
    assert len(await world.read(out)) == 600


async def test_what_a_member_has_lost_it_does_not_commit(world: World) -> None:
    source, out = world.topic("in", PARTITIONS), world.topic("out", 2)
    await world.topics(source, out=out)
    service = relay(world, source, out=out)
    async with world.running(service) as first:
        await owns(first, PARTITIONS)
        before = list(workers(first))
        async with world.running(service) as second:
            await shared_by(first, second)
            gone = _not_any_more(before, first)
            assert gone
            for worker in before:
                worker.processed.update(dict.fromkeys(gone, 10**6))
            await world.send(*stream(source, 0, 100))
            await world.arrived(out, 100)
    assert await world.committed(source) == await ends(world, source)


def _not_any_more(before: Sequence[object], member: Runtime) -> set[TopicPartition]:
    owned = {lane.source for worker in before for lane in worker.lanes}  # type: ignore[attr-defined]
    return owned - sources(member)
