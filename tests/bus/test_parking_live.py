"""A parked key waits, in order, until its poison is replayed; a skipped one goes on without it."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shared.cli import main
from shared.contracts import Event, ReportReceived, Topic
from shared.contracts.kafka import dump
from tests.bus.live import World, drained, sources
from tests.bus.services import relay
from tests.bus.support import header, record_of, report, until
from tests.bus.wire import send_wrong_name

pytestmark = pytest.mark.real_kafka


class Door:
    """Refuses one report until it is opened."""

    def __init__(self, subject: str = "rep-1") -> None:
        self.subject, self.open = subject, False

    def __call__(self, event: Event[ReportReceived]) -> None:
        if event.subject == self.subject and not self.open and not event.data.text:
            raise ValueError("not while the door is closed")


async def ruamjai(world: World, *args: str) -> Result:
    """Run the operators' command line against the test's Kafka."""
    runner = CliRunner()
    return await asyncio.to_thread(runner.invoke, main, args, env={"KAFKA_URL": world.url})


async def subjects(world: World, out: Topic, count: int) -> list[str]:
    return [(header(r, "ce_subject") or b"").decode() for r in await world.arrived(out, count)]


async def test_a_consumer_that_skips_goes_on_with_the_key(world: World) -> None:
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    await world.send(*(record_of(source, report(n), "key") for n in range(4)))
    async with world.running(relay(world, source, out=out, check=Door())):
        assert await subjects(world, out, 3) == ["rep-0", "rep-2", "rep-3"]


async def test_a_parked_key_waits_over_a_restart_and_the_replay_releases_it_in_order(world: World) -> None:
    source, out = world.topic("in", 2), world.topic("out")
    await world.topics(source, out=out)
    door = Door()
    service = relay(world, source, out=out, on_poison="park", check=door)
    await world.send(*(replace(record_of(source, report(n), "key"), partition=1) for n in range(4)))
    await world.send(*(replace(record_of(source, report(n), "other"), partition=1) for n in (10, 11)))
    async with world.running(service) as runtime:
        assert await subjects(world, out, 3) == ["rep-0", "rep-10", "rep-11"]
        await until(drained(runtime, 6), "all processed or parked")
    await world.send(replace(record_of(source, report(4), "key"), partition=1))
    door.open = True
    async with world.running(service) as runtime:
        await until(drained(runtime, 7), "the later one parked too")
        assert len(await world.read(out)) == 3
        result = await ruamjai(world, "dlq", "replay", source.dlq(world.name), "--all")
        assert result.exit_code == 0, result.output
        released = await subjects(world, out, 7)
        await world.send(replace(record_of(source, report(5), "key"), partition=1))
        after = await subjects(world, out, 8)
    assert released[3:] == ["rep-1", "rep-2", "rep-3", "rep-4"]
    assert after[7:] == ["rep-5"]


async def test_a_replayed_event_keeps_its_id_and_its_answer_keeps_its_own(world: World) -> None:
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    door, cause = Door(), record_of(source, report(1), "key")
    await world.send(cause)
    async with world.running(relay(world, source, out=out, check=door)):
        [letter] = await world.arrived(source.dlq(world.name), 1)
        door.open = True
        await ruamjai(world, "dlq", "replay", source.dlq(world.name), "--key", "key")
        [replayed] = await world.arrived(f"{world.name}.replay", 1)
        await world.arrived(out, 1)
    for name in ("ce_id", "dlq_topic", "dlq_partition", "dlq_offset"):
        assert header(replayed, name) == header(letter, name)
    assert header(replayed, "ce_id") == header(cause, "ce_id")
    assert (replayed.key, replayed.value, replayed.partition) == (b"key", letter.value, letter.partition)


async def test_a_repair_that_is_wrong_keeps_the_key_closed_and_a_right_one_opens_it(
    world: World, tmp_path: Path
) -> None:
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    wrong, right = tmp_path / "wrong", tmp_path / "right"
    wrong.write_bytes(b"{}")
    right.write_bytes(dump(report(1, text="repaired")))
    dlq = source.dlq(world.name)
    await world.send(*(record_of(source, report(n), "key") for n in range(3)))
    async with world.running(relay(world, source, out=out, on_poison="park", check=Door())):
        await world.arrived(dlq, 1)
        place = ("--partition", "0", "--offset")
        await ruamjai(world, "dlq", "replay", dlq, *place, "0", "--repaired", str(wrong))
        await world.arrived(dlq, 2)
        assert await subjects(world, out, 1) == ["rep-0"]
        await ruamjai(world, "dlq", "replay", dlq, *place, "1", "--repaired", str(right))
        assert await subjects(world, out, 3) == ["rep-0", "rep-1", "rep-2"]
        await world.send(record_of(source, report(3), "key"))
        assert await subjects(world, out, 4) == ["rep-0", "rep-1", "rep-2", "rep-3"]


async def test_poison_behind_the_poison_stops_the_release_where_it_is(world: World) -> None:
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    doors = [Door("rep-1"), Door("rep-3")]

    def check(event: Event[ReportReceived]) -> None:
        for door in doors:
            door(event)

    dlq = source.dlq(world.name)
    await world.send(*(record_of(source, report(n), "key") for n in range(5)))
    async with world.running(relay(world, source, out=out, on_poison="park", check=check)):
        await world.arrived(dlq, 1)
        doors[0].open = True
        await ruamjai(world, "dlq", "replay", dlq, "--all")
        assert await subjects(world, out, 3) == ["rep-0", "rep-1", "rep-2"]
        [_, letter] = await world.arrived(dlq, 2)
        assert header(letter, "ce_subject") == b"rep-3"
        doors[1].open = True
        await ruamjai(world, "dlq", "replay", dlq, "--partition", "0", "--offset", str(letter.offset))
        assert await subjects(world, out, 5) == ["rep-0", "rep-1", "rep-2", "rep-3", "rep-4"]


async def test_a_key_parked_by_one_member_is_opened_by_whoever_owns_it_when_there_are_two(
    world: World,
) -> None:
    source, out = world.topic("in", 3), world.topic("out")
    await world.topics(source, out=out)
    door = Door()
    service = relay(world, source, out=out, on_poison="park", check=door)
    async with world.running(service) as first, world.running(service) as second:
        await until(lambda: len(sources(first)) < 6 == len(sources(first) | sources(second)), "both own some")
        await world.send(
            *(replace(record_of(source, report(1), f"key{p}"), partition=p) for p in range(3)),
            *(replace(record_of(source, report(2), f"key{p}"), partition=p) for p in range(3)),
        )
        await world.arrived(source.dlq(world.name), 3)
        door.open = True
        await ruamjai(world, "dlq", "replay", source.dlq(world.name), "--all")
        await world.arrived(out, 6)
        await world.send(*(replace(record_of(source, report(3), f"key{p}"), partition=p) for p in range(3)))
        assert len(await world.arrived(out, 9)) == 9


async def test_a_record_with_a_header_name_that_is_not_utf8_can_be_parked(world: World) -> None:
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    await send_wrong_name(world.url, source.name, 0, b"key", [b"poison", b"behind it"])
    await world.send(record_of(source, report(1, text="fine"), "other"))
    async with world.running(relay(world, source, out=out, on_poison="park")) as runtime:
        assert await subjects(world, out, 1) == ["rep-1"]
        await until(drained(runtime, 3), "all processed or parked")


async def test_more_behind_a_key_than_one_page_is_released_in_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.bus.parking.PAGE", 2)
    source, out = world.topic("in"), world.topic("out")
    await world.topics(source, out=out)
    door = Door()
    await world.send(*(record_of(source, report(n), "key") for n in range(9)))
    async with world.running(relay(world, source, out=out, on_poison="park", check=door)) as runtime:
        await until(drained(runtime, 9), "all processed or parked")
        door.open = True
        await ruamjai(world, "dlq", "replay", source.dlq(world.name), "--all")
        await world.send(*(record_of(source, report(n), "key") for n in range(9, 12)))
        assert await subjects(world, out, 12) == [f"rep-{n}" for n in range(12)]
