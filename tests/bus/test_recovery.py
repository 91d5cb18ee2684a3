"""What dies is made anew: producer, consumer, broker; nothing is lost and order per key holds."""

import asyncio
from collections.abc import Iterable

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.errors import OutOfOrderSequenceNumber
from confluent_kafka import Producer

from shared.bus import Emit, FatalError, Service
from shared.bus import runtime as runtime_module
from shared.bus.runtime import Runtime
from shared.bus.watch import Watch
from shared.contracts import Event, Record, ReportReceived, Topic
from shared.contracts.kafka import dump
from shared.telemetry import Reason
from tests.bus.live import World, drained, in_order, owns, workers
from tests.bus.services import relay
from tests.bus.support import header, new_metrics, record_of, report, until, value_of

pytestmark = pytest.mark.real_kafka


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A consumer counts as stuck after half a second instead of thirty."""
    monkeypatch.setattr(runtime_module, "STUCK_SECONDS", 0.5)
    monkeypatch.setattr("shared.bus.consumer.WATCH_SECONDS", 0.1)


def stream(topic: Topic, start: int, end: int) -> list[Record]:
    """Reports over seven keys, the number in their text."""
    return [record_of(topic, report(n, text=str(n)), f"key-{n % 7}") for n in range(start, end)]


def keyed_relay(world: World, source: Topic, out: Topic) -> Service:
    """A relay that keeps keys apart, so that order per key can be seen."""
    service = Service(world.name)

    @service.on(source)
    def pass_on(event: Event[ReportReceived]) -> Iterable[Emit]:
        return [Emit(out, event.data, f"key-{int(event.data.text) % 7}")]

    return service


async def assert_whole_and_ordered(world: World, out: Topic, count: int) -> None:
    found = in_order(await world.arrived(out, count))
    expected = {
        f"key-{k}".encode(): [dump(report(n, text=str(n))) for n in range(k, count, 7)] for k in range(7)
    }
    assert found == expected


async def _sender_task_dies(running: Runtime) -> None:
    running.publisher.current()[0]._sender.sender_task.cancel()


async def _sequence_is_out_of_order(running: Runtime) -> None:
    producer = running.publisher.current()[0]

    async def refuse(*_: object) -> None:
        raise OutOfOrderSequenceNumber

    producer._sender._send_produce_req = refuse


@pytest.mark.parametrize("death", [_sender_task_dies, _sequence_is_out_of_order])
async def test_a_dead_producer_is_made_anew_and_nothing_is_lost_or_out_of_order(
    world: World, death: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.bus.publisher.DELIVERY_SECONDS", 1.0)
    source, out = world.topic("in", 2), world.topic("out", 3)
    await world.topics(source, out=out)
    async with world.running(keyed_relay(world, source, out)) as running:
        await world.send(*stream(source, 0, 500))
        await world.arrived(out, 200)
        await death(running)  # type: ignore[operator]
        await world.send(*stream(source, 500, 1000))
        await until(drained(running, 1000), "all processed")
        assert value_of(running.metrics.producer_recreated, Reason.PRODUCER_DEAD) == 1
        await assert_whole_and_ordered(world, out, 1000)


async def test_a_stuck_consumer_is_made_anew_and_goes_on_where_it_was(world: World, impatient: None) -> None:
    source, out = world.topic("in", 2), world.topic("out", 3)
    await world.topics(source, out=out)
    async with world.running(keyed_relay(world, source, out)) as running:
        await world.send(*stream(source, 0, 100))
        await until(drained(running, 100), "the first half")
        client = running.consumers[0]._client
        assert client is not None
        fetching = client._fetcher._fetch_task

        def ended() -> bool:
            fetching.cancel()  # once may not be enough: a wait_for in it swallows what comes as it ends
            return bool(fetching.done())

        await until(ended, "the task that fetches has ended")
        await world.send(*stream(source, 100, 200))
        await assert_whole_and_ordered(world, out, 200)
        assert value_of(running.metrics.consumer_recreated, Reason.CONSUMER_STUCK) >= 1
        assert running.failure is None


async def assert_idle(running: Runtime, topic: Topic) -> None:
    """All was read, there is no lag, and a watch without any patience sees nothing that is stuck."""
    client, metrics = running.consumers[0]._client, new_metrics()
    assert client is not None
    patient = Watch("tester", metrics, running.clock, 3600)
    strict = Watch("tester", new_metrics(), running.clock, 0.0)

    async def caught_up() -> bool:
        await patient.look(client, workers(running))
        return all(value_of(metrics.lag, "tester", topic.name, n) == 0 for n in range(topic.partitions))

    idle: bool = await until(caught_up, "no lag")
    assert idle
    for _ in range(3):
        await strict.look(client, workers(running))


async def test_a_consumer_with_nothing_to_read_is_not_stuck_though_its_topic_has_a_past(
    world: World,
) -> None:
    source, out = world.topic("in", 2), world.topic("out", 3)
    await world.topics(source, out=out)
    await world.send(*stream(source, 0, 50))
    service = keyed_relay(world, source, out)
    async with world.running(service) as running:
        await until(drained(running, 50), "all processed")
    async with world.running(service) as running:
        await owns(running, 2)
        await assert_idle(running, source)


async def test_a_writer_with_transactions_leaves_markers_behind_and_they_are_not_unread_records(
    world: World,
) -> None:
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    await asyncio.to_thread(_send_in_transaction, world.url, record_of(source, report(1)))
    async with world.running(relay(world, source, out=out)) as running:
        await world.arrived(out, 1)
        await assert_idle(running, source)
        await asyncio.to_thread(_send_in_transaction, world.url, record_of(source, report(2)))
        assert len(await world.arrived(out, 2)) == 2


def _produce(producer: Producer, record: Record) -> None:
    headers: list[tuple[str, str | bytes | None]] = list(record.headers)
    producer.produce(record.topic, record.value, record.key, headers=headers)


def _send_in_transaction(url: str, record: Record) -> None:
    producer = Producer({"bootstrap.servers": url, "transactional.id": f"tx-{record.topic}"})
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(
        record.topic, record.value, record.key, headers=[(n, v or b"") for n, v in record.headers]
    )
    producer.commit_transaction()


@pytest.mark.parametrize("codec", ["gzip", "lz4", "snappy", "zstd"])
async def test_a_compressed_batch_is_read(world: World, codec: str) -> None:
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    producer = Producer({"bootstrap.servers": world.url, "compression.type": codec, "linger.ms": 50})
    for record in stream(source, 0, 20):
        producer.produce(
            record.topic, record.value, record.key, headers=[(n, v or b"") for n, v in record.headers]
        )
    await asyncio.to_thread(producer.flush)
    async with world.running(relay(world, source, out=out)):
        assert len(await world.arrived(out, 20)) == 20


async def test_records_deleted_before_they_were_read_stop_the_consumer_loudly(world: World) -> None:
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    service = keyed_relay(world, source, out)
    await world.send(*stream(source, 0, 10))
    async with world.running(service) as running:
        await until(drained(running, 10), "the first ten")
    await world.send(*stream(source, 10, 20))
    await _delete_before(world, source, 15)
    async with world.running(service) as running:
        failure = await until(lambda: running.failure, "the end")
    assert isinstance(failure, FatalError)
    assert "records were deleted before this group read them" in str(failure)
    assert len(await world.read(out)) == 10
    assert sum((await world.committed(source)).values()) == 10


async def _delete_before(world: World, topic: Topic, offset: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=world.url)
    await admin.start()
    await admin.delete_records({TopicPartition(topic.name, 0): RecordsToDelete(offset)})
    await admin.close()


async def test_inputs_whose_numbers_do_not_match_stop_a_consumer_that_parks(world: World) -> None:
    narrow, wide, out = world.topic("narrow", 2), world.topic("wide", 3), world.topic("out")
    await world.topics(narrow, wide, out=out)
    async with world.running(relay(world, narrow, wide, out=out, on_poison="park")) as running:
        failure = await until(lambda: running.failure, "the end")
    assert "differ in partitions" in str(failure)


async def test_an_event_that_was_done_twice_after_a_fault_has_equal_bytes(world: World) -> None:
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    service = relay(world, source, out=out)
    await world.send(*stream(source, 0, 20))
    never = "3600000"
    async with world.running(service, COMMIT_INTERVAL_MS=never) as running:
        await until(drained(running, 20), "all processed")
        for worker in running.consumers[0].workers.values():
            worker.processed.clear()  # as after kill -9: nothing of it was committed
    async with world.running(service):
        found = await world.arrived(out, 40)
    by_id = {header(record, "ce_id"): (record.key, record.value, record.headers) for record in found}
    assert len(by_id) == 20
    for record in found:
        assert (record.key, record.value, record.headers) == by_id[header(record, "ce_id")]
