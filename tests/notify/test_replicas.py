"""Two replicas share the incidents, one goes and comes back: each agency is told everything once."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.local.choose import Chosen
from deploy.local.kafka_server import KafkaServer
from services.notify.cli import publish_folder
from shared.contracts import DeliveryRecorded, Event, IncidentShared, decode, encode
from shared.contracts.delivery import DeliveryOutcome
from shared.contracts.ids import new_id
from shared.contracts.topics import DELIVERIES, INCIDENTS, agency_incidents
from tests.bus.live import shares
from tests.bus.support import until
from tests.notify.support import opened, updated
from tests.notify.test_live import Town

pytestmark = pytest.mark.real_kafka
INCIDENT_COUNT = 20


class Busy(Town):
    """Incidents that change all the time."""

    sent: dict[str, str]
    """What was said of them: the incident's id by the event's."""
    over: bool

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """A town where much is going on."""
        self.sent, self.over = {}, False
        async with asyncio.TaskGroup() as group:
            group.create_task(self._happen())
            try:
                yield
            finally:
                self.over = True

    async def _happen(self) -> None:
        seq = 0
        while not self.over:
            seq += 1
            for number in range(INCIDENT_COUNT):
                await self._change(f"{self.incident}-{number}", seq)
                await asyncio.sleep(0.01)

    async def _change(self, incident: str, seq: int) -> None:
        given = {"category": self.category, "text": f"{seq // 2}"}
        data = opened(incident, **given) if seq == 1 else updated(seq, "text", incident=incident, **given)
        id_, key = new_id(), INCIDENTS.key_of(data)
        await self.send(
            encode(INCIDENTS.name, key, data, id=id_, source="/t", time=self.now, traceparent=None)
        )
        self.sent[id_] = incident

    async def happened(self, more: int) -> None:
        """Return when so many more events were sent."""
        wanted = len(self.sent) + more
        await until(lambda: len(self.sent) >= wanted, f"{more} more events", 60)

    async def recorded(self) -> list[DeliveryRecorded]:
        """The ledger, once it has an entry for every event; each entry once."""

        async def whole() -> list[DeliveryRecorded] | None:
            events = once(decode(r.value, r.headers) for r in await self.read(DELIVERIES))
            ours = [e.data for e in events if e.data.event_id in self.sent]
            return ours if {data.event_id for data in ours} == set(self.sent) else None

        return await until(whole, "the ledger has all", 60)

    async def shared_with(self, agency: str) -> list[Event[IncidentShared]]:
        """What its topic says of incidents, each event once."""
        events = once(decode(r.value, r.headers) for r in await self.read(agency_incidents(agency)))
        return [event for event in events if isinstance(event.data, IncidentShared)]


def once(events: Iterable[Event[Any]]) -> list[Event[Any]]:
    """Each event once, in the order of first occurrences."""
    return list({event.id: event for event in events}.values())


@pytest.fixture
async def town(chosen_kafka: Chosen[KafkaServer], store_url: str, tmp_path: Path) -> Busy:
    """Its topics are there; two agencies follow it, one of which sees less."""
    town = Busy(chosen_kafka.server.url, store_url)
    town.prepare(tmp_path)
    del town.extra["KEYS_URL"]
    await asyncio.to_thread(town.create, chosen_kafka.server)
    town.write(town.rescue, timedelta(days=30), "text", "category")
    await publish_folder(town.settings(), town.write(town.hospital, timedelta(days=30), "category"))
    return town


async def test_each_agency_is_told_once_of_each_event_while_a_replica_goes_and_comes(town: Busy) -> None:
    async with town.running(town.service()) as first:
        async with town.busy():
            async with town.running(town.service()) as second:
                await shares(INCIDENTS.partitions, first, second)
                await town.happened(150)
            await town.happened(100)
            async with town.running(town.service()) as third:
                await shares(INCIDENTS.partitions, first, third)
                await town.happened(150)
        recorded = await town.recorded()
    entries = Counter((r.event_id, d.agency) for r in recorded for d in r.deliveries)
    assert entries == Counter({(id_, code): 1 for id_ in town.sent for code in (town.rescue, town.hospital)})
    for agency in (town.rescue, town.hospital):
        shared = await town.shared_with(agency)
        deliveries = [d for r in recorded for d in r.deliveries if d.agency == agency]
        delivered = [d.proof for d in deliveries if d.outcome is DeliveryOutcome.DELIVERED]
        assert Counter(delivered) == Counter(event.id for event in shared)
        numbers = defaultdict(list)
        for event in shared:
            numbers[event.data.incident_id].append(event.data.seq)
        assert len(numbers) == INCIDENT_COUNT
        assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
