"""An agency's own view: a plain Kafka client that notes when each report's first event is on its topic."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaConsumer

from shared.contracts.topics import agency_incidents
from shared.settings import Settings, kafka_client_options

POLL_MS = 200
TRACE = slice(3, 35)
"""Where the trace id is in a `traceparent`."""

Seen = Mapping[str, Mapping[str, float]]
"""By agency: when the first event of each trace was read, seconds of `time.perf_counter`."""


@asynccontextmanager
async def watching(settings: Settings, agencies: Sequence[str]) -> AsyncIterator[Seen]:
    """Read what comes on the topics of `agencies` from now on. Raises KafkaError."""
    if not agencies:
        yield {}
        return
    seen: dict[str, dict[str, float]] = {code: {} for code in agencies}
    topics = {agency_incidents(code).name: code for code in agencies}
    consumer = AIOKafkaConsumer(
        *topics, **kafka_client_options(settings), client_id="ruamjai-load", auto_offset_reset="latest"
    )
    await consumer.start()
    task = asyncio.create_task(_read(consumer, topics, seen))
    try:
        await consumer.seek_to_end()
        yield seen
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await consumer.stop()


async def _read(
    consumer: AIOKafkaConsumer, topics: dict[str, str], seen: dict[str, dict[str, float]]
) -> None:
    while True:
        polled = await consumer.getmany(timeout_ms=POLL_MS)
        now = time.perf_counter()
        for place, records in polled.items():
            known = seen[topics[place.topic]]
            for record in records:
                known.setdefault(trace_of(record.headers), now)


def trace_of(headers: Iterable[tuple[Any, Any]]) -> str:
    """Return the trace id of a record, "" without one."""
    found = next((value for name, value in headers if name == "traceparent" and value), b"")
    return bytes(found[TRACE]).decode("ascii", "replace")
