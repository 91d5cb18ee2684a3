"""One change each to the real kernel: mistakes that the checker must not let pass."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError

from shared.bus import emit, publisher, runtime
from shared.bus.consumer import Consumer
from shared.bus.decider import Decider
from shared.bus.journal import Journal
from shared.bus.lanes import Slice
from shared.bus.processor import Processor
from shared.bus.service import Service
from shared.bus.stateful import Stateful
from shared.bus.work import Outcome
from shared.bus.worker import Worker
from shared.contracts.topics import Topic
from shared.settings import Settings, kafka_client_options


def commit_before_effect() -> None:
    """Offsets are committed as soon as a slice is taken."""
    handle, adopt = Worker._handle, Consumer._adopt
    owners: dict[int, Consumer] = {}

    def adopt_(self: Consumer, number: int, sources: Any) -> None:
        owners[number] = self
        adopt(self, number, sources)

    async def handle_(self: Worker, slice_: Slice) -> None:
        self.processed.update(slice_.next_offsets)
        await owners[self.partition]._commit()
        await handle(self, slice_)

    _put(Consumer, "_adopt", adopt_)
    _put(Worker, "_handle", handle_)


def commit_positions() -> None:
    """What is committed is what was fetched, as `consumer.commit()` does by itself."""

    async def commit_(self: Consumer) -> None:
        if self._client is not None:
            with suppress(KafkaError):
                await self._client.commit()

    _put(Consumer, "_commit", commit_)


def separate_consumers() -> None:
    """Each of a desk's inputs has a consumer of its own, and with it a state of its own."""
    decide = Service.decide

    def decide_(self: Service, *topics: Topic, by: Decider[Any], group: str, **options: Any) -> None:
        for topic in topics:
            decide(self, topic, by=by, group=f"{group}.urgent" if topic.urgent else group, **options)

    _put(Service, "decide", decide_)


def done_before_durable() -> None:
    """A commit's events count as published before they are."""
    append = Journal.append

    async def append_(self: Journal[Any], *arguments: Any) -> bool:
        taken = await append(self, *arguments)
        if taken:
            self.published_n = self.n
            await self.save_head()
        return taken

    _put(Journal, "append", append_)


def unkeyed_publish() -> None:
    """Records go round the partitions instead of to their key's."""
    turns = itertools.count()

    def place(record: Any, partitions: int) -> int:
        return int(next(turns) % partitions if record.partition is None else record.partition)

    _put(publisher, "_place", place)


def dlq_swallows() -> None:
    """Poison is passed over and set aside nowhere."""
    _put(Processor, "_bury", lambda *_: None)


def acks_one() -> None:
    """The leader's word is enough for an acknowledgement."""

    def make(settings: Settings) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            **kafka_client_options(settings), acks=1, max_batch_size=publisher.BATCH_BYTES
        )

    _put(runtime, "make_producer", make)


def random_ids() -> None:
    """An event that is made again gets another id."""
    _put(emit, "derived_id", lambda *_: str(uuid4()))


def lazy_desks() -> None:
    """A partition's desks are loaded when the first record for them comes."""
    process, refresh = Stateful.process, Stateful.refresh
    unloaded: set[int] = set()

    async def open_(self: Stateful[Any]) -> Outcome:
        unloaded.add(id(self))
        return await Processor.open(self)

    async def process_(self: Stateful[Any], records: Sequence[ConsumerRecord]) -> Outcome:
        if id(self) not in unloaded:
            return await process(self, records)
        unloaded.discard(id(self))
        loaded = await self._reload()
        outcome = await process(self, records)
        outcome.records = loaded.records + outcome.records
        return outcome

    async def refresh_(self: Stateful[Any]) -> Outcome:
        return Outcome() if id(self) in unloaded else await refresh(self)

    _put(Stateful, "open", open_)
    _put(Stateful, "process", process_)
    _put(Stateful, "refresh", refresh_)


def _put(owner: Any, name: str, replacement: Any) -> None:
    assert hasattr(owner, name), f"the kernel has no {name} any more"
    setattr(owner, name, replacement)


CONTROLS: Mapping[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        commit_before_effect,
        commit_positions,
        separate_consumers,
        done_before_durable,
        unkeyed_publish,
        dlq_swallows,
        acks_one,
        random_ids,
        lazy_desks,
    )
}
