"""Poison of every kind ends in the DLQ as it came, and every good record around it is processed."""

import json
from dataclasses import replace

import pytest

from shared.bus import Retry
from shared.contracts import Event, Record, ReportReceived, Topic
from shared.telemetry import Reason
from tests.bus.live import World, drained, owns
from tests.bus.services import relay
from tests.bus.support import header, record_of, report, until, value_of
from tests.bus.wire import WRONG_NAME, send_wrong_name

pytestmark = pytest.mark.real_kafka


def good(topic: Topic, number: int = 1) -> Record:
    return record_of(topic, report(number))


def with_header(record: Record, name: str, value: bytes | None) -> Record:
    return replace(record, headers=[*((n, v) for n, v in record.headers if n != name), (name, value)])


def poisons(topic: Topic) -> dict[str, tuple[Record, Reason]]:
    """Each kind of poison, with the reason it should be given."""
    fine = good(topic, 99)
    wrong_type = json.loads(fine.value or b"") | {"received_at": "yesterday"}
    return {
        "random bytes": (replace(fine, value=bytes(range(256))), Reason.BAD_BODY),
        "random bytes without headers": (Record(topic.name, b"k", b"\x00\xff", []), Reason.BAD_ENVELOPE),
        "an attribute that is not UTF-8": (with_header(fine, "ce_id", b"\xff\xfe"), Reason.BAD_ENVELOPE),
        "no value": (replace(fine, value=None), Reason.NULL_VALUE),
        "a field of the wrong type": (replace(fine, value=json.dumps(wrong_type).encode()), Reason.BAD_BODY),
        "an unknown type": (with_header(fine, "ce_type", b"th.ruamjai.no.such.v9"), Reason.UNKNOWN_TYPE),
        "one mebibyte": (replace(fine, value=b"x" * (1 << 20)), Reason.BAD_BODY),
        "a key that is not UTF-8": (replace(fine, key=b"\xff\xfe"), Reason.MISSING_KEY),
        "a key that a store may cut": (replace(fine, key=b"a\0b"), Reason.MISSING_KEY),
        "neither key nor value": (Record(topic.name, None, None, []), Reason.NULL_VALUE),
    }


async def test_poison_of_every_kind_is_set_aside_as_it_came_and_its_neighbours_go_through(
    world: World,
) -> None:
    source, out = world.topic("in", 3), world.topic("out")
    await world.topics(source, out=out)
    kinds = poisons(source)
    await world.send(*(replace(good(source, n), partition=n % 3) for n in range(30)))
    await world.send(*(replace(record, partition=1) for record, _ in kinds.values()))
    await world.send(*(replace(good(source, n), partition=n % 3) for n in range(30, 60)))
    async with world.running(relay(world, source, out=out)) as runtime:
        relayed = await world.arrived(out, 60)
        letters = await world.arrived(source.dlq(world.name), len(kinds))
        await until(drained(runtime, 60 + len(kinds)), "all processed")
        for _, reason in kinds.values():
            assert value_of(runtime.metrics.dead_lettered, source.name, reason) >= 1
    assert len(relayed) == 60
    assert len(letters) == len(kinds)
    for letter, (record, reason) in zip(letters, kinds.values(), strict=True):
        assert (letter.key, letter.value, letter.partition) == (record.key, record.value, 1)
        assert list(letter.headers[: len(record.headers)]) == record.headers
        assert header(letter, "dlq_reason") == reason.encode()


async def test_header_names_that_are_not_utf8_block_nothing_and_lose_no_byte(world: World) -> None:
    source, out = world.topic("in", 3), world.topic("out")
    await world.topics(source, out=out)
    for n in range(3):
        await world.send(*(replace(good(source, 10 * n + i), partition=n) for i in range(5)))
    await send_wrong_name(world.url, source.name, 1, b"k", [b"first", b"second"])
    for n in range(3):
        await world.send(*(replace(good(source, 100 + 10 * n + i), partition=n) for i in range(5)))
    async with world.running(relay(world, source, out=out)):
        assert len(await world.arrived(out, 30)) == 30
        letters = await world.arrived(source.dlq(world.name), 2)
    assert [letter.value for letter in letters] == [b"first", b"second"]
    assert WRONG_NAME.hex() not in str(letters[0].headers)
    assert header(letters[0], "dlq_headers") is not None


async def test_headers_that_are_nobodys_business_are_no_poison(world: World) -> None:
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    record = good(source)
    record.headers.extend([("x-vendor", b"\xff\xfe\x00"), ("ไทย", None), ("ce_id2", b"")])
    await world.send(with_header(record, "traceparent", b"\xffnot a trace"))
    async with world.running(relay(world, source, out=out)):
        [relayed] = await world.arrived(out, 1)
    assert header(relayed, "traceparent") is None


async def test_a_retry_waits_in_place_while_the_other_partitions_go_on_and_the_member_stays(
    world: World,
) -> None:
    source, out = world.topic("in", 2), world.topic("out")
    await world.topics(source, out=out)
    closed = True

    def check(event: Event[ReportReceived]) -> None:
        if closed and event.subject == "rep-0":
            raise Retry("its outside is away")

    await world.send(*(replace(good(source, n), partition=0) for n in range(5)))
    await world.send(*(replace(good(source, n), partition=1) for n in range(5, 10)))
    async with world.running(relay(world, source, out=out, check=check)) as runtime:
        subjects = [header(r, "ce_subject") for r in await world.arrived(out, 5)]
        assert subjects == [b"rep-%d" % n for n in range(5, 10)]
        await until(lambda: value_of(runtime.metrics.retried, Reason.HANDLER_RETRY) >= 3, "some retries")
        assert value_of(runtime.metrics.transient_wait, Reason.HANDLER_RETRY) == 1
        await owns(runtime, 2)
        assert value_of(runtime.metrics.rebalances) == 1
        closed = False
        subjects += [header(r, "ce_subject") for r in (await world.arrived(out, 10))[5:]]
        assert value_of(runtime.metrics.transient_wait, Reason.HANDLER_RETRY) == 0
    assert subjects[5:] == [b"rep-%d" % n for n in range(5)]
    assert await world.read(source.dlq(world.name)) == []


async def test_a_handler_that_raises_on_one_record_is_asked_about_the_next(world: World) -> None:
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    await world.send(good(source, 1), good(source, 2), good(source, 3))

    def check(event: Event[ReportReceived]) -> None:
        if event.subject == "rep-2":
            raise ValueError("this one is wrong")

    async with world.running(relay(world, source, out=out, check=check)):
        relayed = await world.arrived(out, 2)
        [letter] = await world.arrived(source.dlq(world.name), 1)
    assert [header(r, "ce_subject") for r in relayed] == [b"rep-1", b"rep-3"]
    assert header(letter, "dlq_detail") == b"ValueError: this one is wrong"
