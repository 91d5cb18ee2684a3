"""Follows the compacted topic `agreements` into memory, and knows whether what it holds is current.

The same reader looks which agencies have their topic.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from services.notify.book import Book, ends
from services.notify.metrics import NotifyMetrics
from services.notify.outlets import Outlets
from shared.bus import Retry
from shared.bus.backoff import Backoff
from shared.contracts import ContractError, decode
from shared.contracts.agreement import AgreementEvent
from shared.contracts.topics import AGREEMENTS
from shared.settings import Settings, kafka_client_options

log = logging.getLogger(__name__)

SOURCE = TopicPartition(AGREEMENTS.name, 0)
POLL_MS = 500
FRESH_SECONDS = 10.0
"""Real seconds for which a look at the end of the topic vouches for the agreements held."""
STUCK_SECONDS = 60.0


class Agreements:
    """The agreements as this replica knows them. Who cannot confirm that they are current gets none."""

    def __init__(self, metrics: NotifyMetrics, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._metrics, self._monotonic = metrics, monotonic
        self._held: dict[bytes, AgreementEvent] = {}
        self._book = Book()
        self._changed = False
        self._confirmed_at = float("-inf")
        self.outlets = Outlets(monotonic)
        metrics.agreements_current.set_function(lambda: float(self.current))  # also when the reader hangs

    @property
    def current(self) -> bool:
        """Whether nothing newer can have been on the topic for longer than FRESH_SECONDS."""
        return self._monotonic() - self._confirmed_at <= FRESH_SECONDS

    def book(self) -> Book:
        """Return the agreements. Raises Retry while they may be out of date."""
        if not self.current:
            raise Retry("the agreements cannot be confirmed to be current")
        return self._book

    def take(self, records: Mapping[bytes, AgreementEvent | None]) -> None:
        """Replace the agreements of these keys; None forgets one."""
        for key, agreement in records.items():
            self._changed = True
            if agreement is None:
                self._held.pop(key, None)
            else:
                self._held[key] = agreement

    def confirm(self, asked_at: float) -> None:
        """Note that everything that was on the topic at `asked_at` (monotonic) has been taken."""
        if self._changed:
            self._book, self._changed = Book(self._held.values()), False
            self._show_ends()
        self._confirmed_at = asked_at

    def forget(self) -> None:
        """Start over: what is taken next comes from the beginning of the topic."""
        self._confirmed_at = float("-inf")
        self._held, self._changed = {}, True

    def show(self) -> None:
        """Bring the metrics up to date."""
        self._metrics.agreements.set(len(self._held))

    def _show_ends(self) -> None:
        self._metrics.agreement_ends.clear()
        for agreement in self._held.values():
            if (end := ends(agreement)) is not None:
                self._metrics.agreement_ends.labels(agreement.agency, agreement.agreement_id).set(
                    end.timestamp()
                )

    async def follow(self, settings: Settings) -> None:
        """Follow the topic for ever; a fault of the broker means starting over from its beginning."""
        backoff = Backoff()
        while True:
            try:
                async with reading(settings) as reader:
                    await self._follow(reader, backoff)
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("the agreements cannot be followed", extra={"error": repr(error)})
                self.show()
                await backoff.wait()

    async def _follow(self, reader: AIOKafkaConsumer, backoff: Backoff) -> None:
        self.forget()
        while True:
            asked_at = self._monotonic()
            async with asyncio.timeout(STUCK_SECONDS):
                end = (await reader.end_offsets([SOURCE]))[SOURCE]
                while await reader.position(SOURCE) < end:
                    await self._fetch(reader)
                if self.outlets.due:  # after the agreements: who is named in them has its topic by now
                    self.outlets.note(await reader.topics())
            self.confirm(asked_at)
            backoff.reset()
            self.show()
            await self._fetch(reader)

    async def _fetch(self, reader: AIOKafkaConsumer) -> None:
        found = await reader.getmany(SOURCE, timeout_ms=POLL_MS)
        self.take({record.key: self._read(record) for batch in found.values() for record in batch})

    def _read(self, record: ConsumerRecord) -> AgreementEvent | None:
        with suppress(ContractError):
            return agreement_of(record)
        log.error("an agreement cannot be read and grants nothing", extra={"offset": record.offset})
        self._metrics.agreements_unreadable.inc()
        return None


def agreement_of(record: ConsumerRecord) -> AgreementEvent | None:
    """Return the agreement in a record, None in a tombstone. Raises ContractError."""
    if record.value is None:
        return None
    event = decode(record.value, record.headers)
    if not isinstance(event.data, AgreementEvent) or event.data.agreement_id.encode() != record.key:
        raise ContractError("bad_body", "the record is not the agreement that its key names")
    return event.data


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A reader at the beginning of the topic, member of no group. Raises KafkaError."""
    reader = AIOKafkaConsumer(
        **kafka_client_options(settings),
        client_id=f"ruamjai-{settings.service}-agreements",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    try:
        async with asyncio.timeout(FRESH_SECONDS):
            await reader.start()
            if AGREEMENTS.name not in await reader.topics():  # else its offsets are waited for in silence
                raise UnknownTopicOrPartitionError(f"{AGREEMENTS.name} is missing, or forbidden")
        reader.assign([SOURCE])
        await reader.seek_to_beginning(SOURCE)
        yield reader
    finally:
        await reader.stop()


async def published(settings: Settings) -> dict[str, AgreementEvent]:
    """Return the agreements that are on the topic now, by id. Raises KafkaError or ContractError."""
    found: dict[str, AgreementEvent] = {}
    async with reading(settings) as reader:
        end = (await reader.end_offsets([SOURCE]))[SOURCE]
        while await reader.position(SOURCE) < end:
            for batch in (await reader.getmany(SOURCE, timeout_ms=POLL_MS)).values():
                for record in batch:
                    _note(found, record)
    return found


def _note(found: dict[str, AgreementEvent], record: ConsumerRecord) -> None:
    agreement = agreement_of(record)
    if agreement is None:
        found.pop(record.key.decode(), None)
    else:
        found[agreement.agreement_id] = agreement
