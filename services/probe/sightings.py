"""What the probe sees of the stream: which test reports have an incident."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.bus.letters import partitions
from shared.contracts import ContractError, IncidentOpened, Status, decode
from shared.contracts.topics import INCIDENTS
from shared.settings import Settings, kafka_client_options

KEPT = 1_000
POLL_MS = 1_000
START_SECONDS = 10.0
_TYPE = ("ce_type", IncidentOpened.type.encode())


class Sightings:
    """The last test reports that were seen. For one waiter."""

    def __init__(self) -> None:
        self._seen: deque[str] = deque(maxlen=KEPT)
        self._news = asyncio.Event()

    def take(self, record: ConsumerRecord) -> None:
        """Note what a record of the stream says."""
        for report_id in tested(record):
            self._seen.append(report_id)
            self._news.set()

    async def of(self, report_id: str) -> None:
        """Return as soon as a report has been seen."""
        while report_id not in self._seen:
            self._news.clear()
            await self._news.wait()


def tested(record: ConsumerRecord) -> Iterator[str]:
    """Yield the reports of the test incident that a record says is opened. Others cost next to nothing."""
    if _TYPE not in record.headers:
        return
    with suppress(ContractError):
        data = decode(record.value, record.headers).data
        if isinstance(data, IncidentOpened) and data.status is Status.TEST:
            yield from (link.report_id for link in data.view.reports)


@asynccontextmanager
async def stream(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A reader of what comes on `incidents` from now on, member of no group. Raises KafkaError."""
    reader = AIOKafkaConsumer(
        **kafka_client_options(settings),
        client_id=f"ruamjai-{settings.service}",
        enable_auto_commit=False,
        auto_offset_reset="latest",
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            await reader.start()
            numbers = (await partitions(settings)).get(INCIDENTS.name, [])
        sources = [TopicPartition(INCIDENTS.name, number) for number in numbers]
        reader.assign(sources)
        await reader.seek_to_end(*sources)
        yield reader
    finally:
        await reader.stop()
