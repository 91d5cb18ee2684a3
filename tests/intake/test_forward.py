"""Everything accepted goes out, urgent first, also what a dead replica left, nothing of the living."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.intake.forward import Forwarder
from services.intake.replicas import DEAD_SECONDS, Replicas
from shared.bus.publisher import Delivery
from shared.clock import ManualClock
from shared.contracts import Record
from shared.store import Document
from tests.bus.support import new_metrics, until, value_of
from tests.intake.faulty import FaultyStore
from tests.intake.replica import Replica, replica_on, stores

URGENT = {"text": "แม่หมดสติ ไม่หายใจ"}
ORDINARY = {"text": "ไฟทางดับ"}


class Bus:
    """A publisher that acknowledges while it is up, in the order in which records came."""

    def __init__(self) -> None:
        self.sent: list[Record] = []
        self.up = True
        self.refuses = False
        self._unsettled: list[tuple[Delivery, Sequence[Record]]] = []

    async def publish(self, records: Sequence[Record]) -> Delivery:
        """As the real one."""
        delivery = Delivery(len(records))
        self._unsettled.append((delivery, records))
        if self.up:
            self.settle()
        return delivery

    def settle(self) -> None:
        """Acknowledge, or refuse, what has come so far."""
        for delivery, records in self._unsettled:
            self.sent += records
            if self.refuses:
                delivery.refused.append(records[0].topic)
            delivery.settle(len(records))
        self._unsettled = []

    def come_back(self) -> None:
        """Be up again."""
        self.up = True
        self.settle()


@pytest.fixture
def bus() -> Bus:
    return Bus()


def forwarder_of(replica: Replica, bus: Bus) -> Forwarder:
    """The replica's forwarder."""
    replicas = Replicas(replica.store.documents("replicas"), replica.outbox.me, replica.clock)
    return Forwarder(replica.outbox, replicas, bus, replica.clock, new_metrics(), replica.metrics)  # type: ignore[arg-type]


@asynccontextmanager
async def forwarding(replica: Replica, bus: Bus) -> AsyncIterator[asyncio.Task[None]]:
    """The replica forwards meanwhile."""
    task = asyncio.create_task(forwarder_of(replica, bus).run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def sent(replica: Replica, bus: Bus) -> bytes:
    """The key of a new report of the replica, which is on the bus."""
    key: bytes = (await replica.post()).json()["report_id"].encode()
    await until(lambda: key in {record.key for record in bus.sent}, "on the bus")
    return key


async def test_what_is_accepted_goes_out_once_and_leaves_the_outbox(replica: Replica, bus: Bus) -> None:
    async with forwarding(replica, bus):
        ids = [(await replica.post()).json()["report_id"] for _ in range(5)]
        await until(lambda: len(bus.sent) == 5, "all sent")
        await until(lambda: value_of(replica.metrics.forwarded, "ordinary") == 5, "all forgotten")
    assert [(record.key or b"").decode() for record in bus.sent] == ids
    assert await replica.waiting() == []


async def test_what_waited_through_an_outage_goes_out_urgent_first(replica: Replica, bus: Bus) -> None:
    bus.up = False
    async with forwarding(replica, bus):
        for _ in range(150):
            assert (await replica.post(ORDINARY)).status_code == 202
        for _ in range(3):
            assert (await replica.post(URGENT)).status_code == 202
        bus.come_back()
        await until(lambda: len(bus.sent) >= 153, "all sent")
    topics = [record.topic for record in bus.sent]
    last_urgent = max(n for n, topic in enumerate(topics) if topic.endswith("urgent"))
    assert last_urgent < 103, "at most one page of ordinary ones was on its way before"
    assert len({record.key for record in bus.sent}) == 153


async def test_a_record_is_kept_until_it_is_acknowledged(replica: Replica, bus: Bus) -> None:
    bus.up = False
    async with forwarding(replica, bus):
        await replica.post()
        await until(lambda: bool(bus._unsettled), "handed to the bus")
        assert len(await replica.waiting()) == 1


async def test_a_record_sent_again_after_a_crash_is_the_same_bytes(replica: Replica, bus: Bus) -> None:
    await replica.post()
    bus.up = False
    async with forwarding(replica, bus):
        await until(lambda: bool(bus._unsettled), "handed to the bus")
    bus.come_back()
    async with forwarding(replica, bus):
        await until(lambda: len(bus.sent) == 2, "sent again")
    assert bus.sent[0] == bus.sent[1]


async def test_a_replica_that_left_no_pulse_is_taken_over(tmp_path: Path, bus: Bus) -> None:
    async with stores(tmp_path) as (own, keys):
        gone, heir = replica_on(own, keys), replica_on(own, keys)
        for body in (ORDINARY, URGENT):
            await gone.post(body)
        async with forwarding(heir, bus):
            await until(lambda: value_of(heir.metrics.taken_over) == 2, "taken over")
        assert await gone.waiting() == []


async def test_a_living_replica_is_not_taken_over_and_a_dead_one_is(tmp_path: Path, bus: Bus) -> None:
    clock = ManualClock()
    async with stores(tmp_path) as (own, keys):
        other, heir = replica_on(own, keys, clock), replica_on(own, keys, clock)
        pulse = Replicas(own.documents("replicas"), other.outbox.me, clock)
        await pulse.beat()
        await other.post()
        async with forwarding(heir, bus):
            for _ in range(int(DEAD_SECONDS) * 2):
                await pulse.beat()
                await until(lambda: clock.sleeping == 1, "the heir has looked")
                clock.advance(1)
            ours = [await sent(heir, bus) for _ in range(3)]  # a round of its own looks at the dead as well
            assert [record.key for record in bus.sent] == ours
            for _ in range(int(DEAD_SECONDS) + 1):
                await until(lambda: clock.sleeping == 1, "the heir has looked")
                clock.advance(1)
            await until(lambda: len(bus.sent) == 4, "taken over")


async def test_a_pulse_goes_with_its_replica(replica: Replica, bus: Bus) -> None:
    pulses = replica.store.documents("replicas")
    async with forwarding(replica, bus):

        async def beating() -> bool:
            return bool(await pulses.scan())

        held: bool = await until(beating, "a pulse")
        assert held
    assert await pulses.scan() == []


async def test_the_pulse_of_the_dead_is_forgotten_once_nothing_waits(tmp_path: Path, bus: Bus) -> None:
    clock = ManualClock()
    async with stores(tmp_path) as (own, keys):
        dead, heir = replica_on(own, keys, clock), replica_on(own, keys, clock)
        await own.documents("replicas").put([Document(dead.outbox.me, b"7")])
        await dead.post()
        async with forwarding(heir, bus):

            async def alone() -> bool:
                if clock.sleeping:
                    clock.advance(1)
                return [d.id for d in await own.documents("replicas").scan()] == [heir.outbox.me]

            held: bool = await until(alone, "only the living have a pulse")
            assert held
        assert len(bus.sent) == 1


async def test_a_store_that_is_away_for_a_while_loses_nothing(tmp_path: Path, bus: Bus) -> None:
    async with stores(tmp_path) as (own, keys):
        store = FaultyStore(own)
        replica = replica_on(store, keys)
        bus.up = False
        async with forwarding(replica, bus):
            await replica.post()
            await until(lambda: bool(bus._unsettled), "handed to the bus")
            store.away = True
            bus.come_back()
            assert (await replica.post(key="key-0001")).status_code == 503
            store.away = False
            assert (await replica.post(key="key-0001")).status_code == 202
            await until(lambda: value_of(replica.metrics.forwarded, "ordinary") == 2, "both forwarded")
        assert len({record.key for record in bus.sent}) == 2
        assert await replica.waiting() == []


async def test_a_topic_that_refuses_a_report_stops_the_service_with_its_name(
    replica: Replica, bus: Bus
) -> None:
    bus.refuses = True
    await replica.post()
    with pytest.raises(ExceptionGroup) as stopped:
        async with asyncio.timeout(10):
            await forwarder_of(replica, bus).run()
    assert "reports.received" in str(stopped.value.exceptions[0])
    assert len(await replica.waiting()) == 1
