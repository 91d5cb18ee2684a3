"""Services run in this process on a real Kafka, and what a test sends them and reads from them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.errors import CommitFailedError

from shared.bus.admin import create_topics
from shared.bus.letters import partitions
from shared.bus.runtime import Runtime, application
from shared.bus.service import Service
from shared.bus.worker import Worker
from shared.contracts import Record, Topic
from shared.contracts.topics import replay_of
from shared.settings import Settings, load_settings
from tests.bus.support import until

LARGE = {"max.message.bytes": str(4 << 20)}


@dataclass
class World:
    """One test's service name, topics and settings on a Kafka that others use too."""

    url: str
    store_url: str = "sqlite:///unused.db"
    name: str = field(default_factory=lambda: f"svc-{uuid4().hex[:8]}")
    extra: dict[str, str] = field(default_factory=dict)

    def settings(self, **more: str) -> Settings:
        """Of a member of the service."""
        told = {"KAFKA_URL": self.url, "HTTP_PORT": "0", "STORE_URL": self.store_url}
        return load_settings(self.name, told | {"COMMIT_INTERVAL_MS": "100"} | self.extra | more)

    async def topics(self, *inputs: Topic, out: Topic | None = None) -> None:
        """Create inputs, their DLQs, the replay topic and an output."""
        names = {t.name: t.partitions for t in inputs} | ({out.name: out.partitions} if out else {})
        names |= {t.dlq(self.name): t.partitions for t in inputs}
        names[replay_of(self.name)] = max(t.partitions for t in inputs)
        new = [NewTopic(name, count, 1, topic_configs=LARGE) for name, count in names.items()]
        await create_topics(self.settings(), new)

    def topic(self, word: str, partitions: int = 1, **more: bool) -> Topic:
        """A topic of this test's own, keyed by the events' subject."""
        return replace(Topic(f"{self.name}.{word}", key="-", partitions=partitions), **more)  # type: ignore[arg-type]

    @asynccontextmanager
    async def running(self, service: Service, **more: str) -> AsyncIterator[Runtime]:
        """A member of the group, drained at the end unless it ended by itself before."""
        app, runtime = application(service, self.settings(**more))
        task = asyncio.create_task(app.run())
        try:
            yield runtime
        finally:
            app.exit()
            await task

    async def send(self, *records: Record) -> None:
        """Append records; those without a partition go where their key belongs."""
        async with AIOKafkaProducer(bootstrap_servers=self.url, max_request_size=4 << 20) as producer:
            acks = []
            for r in records:
                if r.key is None and r.value is None:  # only a batch may have such a record
                    batch = producer.create_batch()
                    batch.append(key=None, value=None, timestamp=None, headers=r.headers)
                    acks.append(await producer.send_batch(batch, r.topic, partition=r.partition or 0))
                else:
                    acks.append(await producer.send(r.topic, r.value, r.key, r.partition, headers=r.headers))
            await asyncio.gather(*acks)

    async def read(self, topic: Topic | str) -> list[ConsumerRecord]:
        """Everything that is on a topic now."""
        reading = AIOKafkaConsumer(bootstrap_servers=self.url, auto_offset_reset="earliest")
        async with reading as reader:
            sources = [TopicPartition(str(topic), n) for n in await self._numbers(str(topic))]
            reader.assign(sources)
            ends = await reader.end_offsets(sources)
            found: list[ConsumerRecord] = []
            while [s for s in sources if await reader.position(s) < ends[s]]:
                for batch in (await reader.getmany(timeout_ms=200)).values():
                    found += batch
        return found

    async def _numbers(self, topic: str) -> list[int]:
        async def known() -> list[int] | None:
            return (await partitions(self.settings())).get(topic)

        return await until(known, f"{topic} is known")

    async def skip(self, group: str, *topics: Topic) -> None:
        """Let a group begin at the end of its topics: what other tests have left there is not for it.

        A group that has been at work is past it; the embedded broker takes no offsets for such a one.
        """
        reader = AIOKafkaConsumer(bootstrap_servers=self.url, group_id=group, enable_auto_commit=False)
        async with reader:
            sources = [TopicPartition(t.name, n) for t in topics for n in await self._numbers(t.name)]
            reader.assign(sources)
            with suppress(CommitFailedError):
                await reader.commit(await reader.end_offsets(sources))

    async def arrived(self, topic: Topic | str, count: int, seconds: float = 30.0) -> list[ConsumerRecord]:
        """Everything on a topic once it is at least `count` records."""

        async def enough() -> list[ConsumerRecord] | None:
            found = await self.read(topic)
            return found if len(found) >= count else None

        return await until(enough, f"{count} records on {topic}", seconds)

    async def committed(self, *topics: Topic) -> dict[TopicPartition, int]:
        """The offsets the group has committed."""
        sources = [TopicPartition(t.name, n) for t in topics for n in range(t.partitions)]
        reader = AIOKafkaConsumer(bootstrap_servers=self.url, group_id=self.name, enable_auto_commit=False)
        async with reader:
            reader.assign(sources)
            return {source: await reader.committed(source) or 0 for source in sources}


def workers(runtime: Runtime) -> list[Worker]:
    """The partitions a member owns now."""
    return [worker for consumer in runtime.consumers for worker in consumer.workers.values()]


def sources(runtime: Runtime) -> set[TopicPartition]:
    """The topic partitions a member reads now."""
    return {lane.source for worker in workers(runtime) for lane in worker.lanes}


async def owns(runtime: Runtime, partitions: int) -> None:
    """Return when the member owns so many partition numbers."""
    await until(lambda: len(workers(runtime)) == partitions, f"{partitions} partitions owned")


async def shares(partitions: int, *members: Runtime) -> None:
    """Return when each member owns some partitions of its first group, and together they own all."""

    def settled() -> bool:
        owned = [set(member.consumers[0].workers) if member.consumers else set() for member in members]
        return all(owned) and sum(map(len, owned)) == len(set().union(*owned)) == partitions

    await until(settled, f"{len(members)} members share the partitions")


def drained(runtime: Runtime, processed: int) -> Callable[[], bool]:
    """Whether so many records were processed, all their effects acknowledged."""
    return lambda: sum(at for w in workers(runtime) for at in w.processed.values()) >= processed


async def probe(runtime: Runtime, path: str) -> int:
    """The status that `/livez` or `/readyz` answers with."""
    assert runtime._probes is not None
    url = f"http://127.0.0.1:{runtime._probes.port}{path}"

    def ask() -> int:
        try:
            with urlopen(url, timeout=5) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code

    return await asyncio.to_thread(ask)


def values(records: Iterable[ConsumerRecord]) -> list[bytes]:
    """Their values."""
    return [record.value for record in records]


def in_order(records: Sequence[ConsumerRecord]) -> dict[bytes, list[bytes]]:
    """Values per key, first occurrences only, in their order."""
    found: dict[bytes, dict[bytes, None]] = {}
    for record in records:
        found.setdefault(record.key, {}).setdefault(record.value, None)
    return {key: list(of_key) for key, of_key in found.items()}
