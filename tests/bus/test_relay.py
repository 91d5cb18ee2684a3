"""A service on a real Kafka: what goes in comes out, keyed, identified, in order, and once."""

import asyncio
from collections.abc import Iterable, Sequence

import pytest

from shared.bus import Emit, Service
from shared.bus.partitioner import partition_of
from shared.contracts import Event, ReportReceived, decode
from shared.contracts.ids import derived_id
from shared.telemetry import Reason
from tests.bus.live import World, drained, in_order, owns, probe
from tests.bus.services import relay
from tests.bus.support import header, record_of, report, until, value_of

pytestmark = pytest.mark.real_kafka
STORE_SECONDS = 0.02
TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


async def test_an_event_goes_through_with_its_key_its_derived_id_and_its_trace(world: World) -> None:
    source, out = world.topic("in", 3), world.topic("out", 4)
    await world.topics(source, out=out)
    records = [record_of(source, report(n, text="น้ำท่วม"), f"key-{n}") for n in range(50)]
    for record in records:
        record.headers.append(("traceparent", TRACE))
    await world.send(*records)
    async with world.running(relay(world, source, out=out)):
        relayed = await world.arrived(out, 50)
    assert len(relayed) == 50
    causes = {header(record, "ce_subject"): header(record, "ce_id") for record in records}
    for record in relayed:
        event = decode(record.value, record.headers)
        cause = (causes[event.subject.encode()] or b"").decode()
        assert record.key == b"web"
        assert record.partition == partition_of(record.key, 4)
        assert event.id == derived_id(cause, event.type, event.subject, 0)
        assert event.traceparent == TRACE.decode()
        assert event.source == f"/ruamjai/{world.name}"


async def test_a_batch_handler_that_raises_is_run_again_one_by_one(world: World) -> None:
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    batches: list[list[str]] = []
    service = Service(world.name)

    @service.on_batch(source)
    def pass_on(events: Sequence[Event[ReportReceived]]) -> Sequence[Iterable[Emit]]:
        batches.append([event.subject for event in events])
        if len(events) > 1 or events[0].subject == "rep-3":
            raise ValueError("not these")
        return [[Emit(out, event.data)] for event in events]

    await world.send(*(record_of(source, report(n)) for n in range(200)))
    async with world.running(service) as runtime:
        relayed = await world.arrived(out, 199)
        [letter] = await world.arrived(source.dlq(world.name), 1)
        await until(drained(runtime, 200), "all processed")
        together = [batch for batch in batches if len(batch) > 1]
        assert value_of(runtime.metrics.retried, Reason.HANDLER_RETRY) == len(together) > 0
    alone = [batch for batch in batches if len(batch) == 1]
    assert [subject for [subject] in alone] == [f"rep-{n}" for n in range(200)]
    assert [header(record, "ce_subject") for record in relayed] == [
        b"rep-%d" % n for n in range(200) if n != 3
    ]
    assert header(letter, "dlq_reason") == b"handler_error"
    assert header(letter, "ce_subject") == b"rep-3"


async def test_a_handler_that_waits_for_its_store_gets_more_at_once_not_less(world: World) -> None:
    source, sizes = world.topic("in"), list[int]()
    await world.topics(source)
    service = Service(world.name)

    @service.on_batch(source)
    async def remember(events: Sequence[Event[ReportReceived]]) -> Sequence[Iterable[Emit]]:
        sizes.append(len(events))
        await asyncio.sleep(STORE_SECONDS)
        return [()] * len(events)

    await world.send(*(record_of(source, report(n)) for n in range(400)))
    async with world.running(service) as runtime:
        await until(drained(runtime, 400), "all processed")
    assert max(sizes) > 50
    assert len(sizes) < 40


async def test_a_new_group_starts_at_the_earliest_record(world: World) -> None:
    source, out = world.topic("in", 2), world.topic("out")
    await world.topics(source, out=out)
    await world.send(*(record_of(source, report(n)) for n in range(20)))
    async with world.running(relay(world, source, out=out)):
        assert len(await world.arrived(out, 20)) == 20


async def test_a_drained_service_has_committed_all_it_did_and_its_successor_redoes_nothing(
    world: World,
) -> None:
    source, out = world.topic("in", 3), world.topic("out")
    await world.topics(source, out=out)
    service = relay(world, source, out=out)
    await world.send(*(record_of(source, report(n)) for n in range(300)))
    async with world.running(service, COMMIT_INTERVAL_MS="3600000") as runtime:
        await until(drained(runtime, 300), "all processed")
    assert sum((await world.committed(source)).values()) == 300
    async with world.running(service) as successor:
        await owns(successor, 3)
        await world.send(record_of(source, report(300)))
        await world.arrived(out, 301)
    assert len(await world.read(out)) == 301


async def test_order_per_key_is_the_order_of_the_input(world: World) -> None:
    source, out = world.topic("in", 4), world.topic("out", 4)
    await world.topics(source, out=out)
    service = Service(world.name)

    @service.on(source)
    def pass_on(event: Event[ReportReceived]) -> Iterable[Emit]:
        return [Emit(out, event.data, event.data.channel)]

    sent = [
        record_of(
            source,
            report(
                n,
                text=str(n),
            ),
            f"ch{n % 7}",
        )
        for n in range(1000)
    ]
    for n, record in enumerate(sent):
        record.value = (record.value or b"").replace(b'"web"', b'"ch%d"' % (n % 7))
    await world.send(*sent)
    async with world.running(service):
        relayed = await world.arrived(out, 1000)
    for key, found in in_order(relayed).items():
        numbers = [int(decode(v, relayed[0].headers).data.text) for v in found]
        assert numbers == list(range(int(key[2:]), 1000, 7))


async def test_probes_say_ready_once_the_group_is_joined_and_live_all_the_time(world: World) -> None:
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    async with world.running(relay(world, source, out=out)) as runtime:
        await until(lambda: runtime._probes is not None, "probes")
        assert await probe(runtime, "/livez") == 200
        await owns(runtime, 1)
        await until(lambda: runtime.ready().ok, "ready")
        assert await probe(runtime, "/readyz") == 200


async def test_a_topic_that_is_missing_stops_the_service_with_its_name(world: World) -> None:
    source, out = world.topic("in"), world.topic("out")
    async with world.running(relay(world, source, out=out)) as runtime:
        failure = await until(lambda: runtime.failure, "the end")
    assert "topics are missing" in str(failure)
    assert source.name in str(failure)
