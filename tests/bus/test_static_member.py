"""A replica with a name of its own comes back after a restart without anything moving to others."""

import pytest

from shared.bus import Service
from shared.bus.runtime import Runtime
from tests.bus.live import World, owns, shares, workers
from tests.bus.tally import Tally

pytestmark = pytest.mark.real_kafka
PARTITIONS = 6


async def tallies(world: World) -> Service:
    source, out = world.topic("in", PARTITIONS), world.topic("out")
    await world.topics(source, out=out)
    service = Service(world.name)
    service.decide(source, by=Tally(out))
    return service


def numbers(runtime: Runtime) -> set[int]:
    return {worker.partition for worker in workers(runtime)}


async def test_a_named_replica_that_restarts_within_its_session_moves_no_desk(world: World) -> None:
    service = await tallies(world)
    session = {"KAFKA_SESSION_SECONDS": "30"}
    async with world.running(service, KAFKA_GROUP_INSTANCE_ID="desk-1", **session) as stays:
        async with world.running(service, KAFKA_GROUP_INSTANCE_ID="desk-0", **session) as restarts:
            await shares(PARTITIONS, stays, restarts)
            before, undisturbed = numbers(restarts), workers(stays)
        async with world.running(service, KAFKA_GROUP_INSTANCE_ID="desk-0", **session) as again:
            await owns(again, len(before))
            assert numbers(again) == before
            assert workers(stays) == undisturbed  # the very same: nobody stopped them, not even for a moment


async def test_one_without_a_name_hands_its_desks_over_when_it_stops(world: World) -> None:
    service = await tallies(world)
    async with world.running(service) as stays:
        async with world.running(service) as leaves:
            await shares(PARTITIONS, stays, leaves)
        await owns(stays, PARTITIONS)


async def test_a_named_replica_that_stays_away_is_replaced_when_its_session_ends(world: World) -> None:
    service = await tallies(world)
    async with world.running(service, KAFKA_GROUP_INSTANCE_ID="desk-1") as stays:
        async with world.running(service, KAFKA_GROUP_INSTANCE_ID="desk-0") as leaves:
            await shares(PARTITIONS, stays, leaves)
        await owns(stays, PARTITIONS)
