"""Urgent records are handled first, and a flood of them still leaves the ordinary ones their tenth."""

import asyncio
from collections import Counter

import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.lanes import Lane, Lanes, Slice
from tests.bus.support import filler

URGENT, COMMANDS, ORDINARY = (TopicPartition(name, 3) for name in ("urgent", "commands", "ordinary"))


def lanes(urgent: int = 0, ordinary: int = 0, commands: int = 0) -> Lanes:
    room = asyncio.Event()
    made = Lanes([Lane(URGENT, urgent=True), Lane(COMMANDS, urgent=True), Lane(ORDINARY)], room)
    for source, count in ((URGENT, urgent), (COMMANDS, commands), (ORDINARY, ordinary)):
        if count:
            made.offer(source, [filler(source, range(count))])
    return made


def by_topic(slice_: Slice) -> Counter[str]:
    return Counter(record.topic for record in slice_.records)


async def test_urgent_records_come_first_within_a_slice() -> None:
    topics = [record.topic for record in lanes(urgent=5, ordinary=5).take(100).records]
    assert topics == ["urgent"] * 5 + ["ordinary"] * 5


async def test_a_flood_of_urgent_records_leaves_ordinary_ones_a_tenth() -> None:
    assert by_topic(lanes(urgent=1000, ordinary=1000).take(100)) == {"urgent": 90, "ordinary": 10}


async def test_ordinary_records_get_all_that_urgent_ones_leave() -> None:
    assert by_topic(lanes(urgent=20, ordinary=1000).take(100)) == {"urgent": 20, "ordinary": 80}


async def test_two_urgent_lanes_share_and_one_leaves_its_rest_to_the_other() -> None:
    taken = by_topic(lanes(urgent=1000, commands=10, ordinary=1000).take(100))
    assert taken == {"urgent": 80, "commands": 10, "ordinary": 10}


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 10, 64])
async def test_slices_of_any_size_keep_the_ordinary_share_near_a_tenth(limit: int) -> None:
    flooded = lanes(urgent=1900, ordinary=1900)
    taken: Counter[str] = Counter()
    while taken.total() < 1000:
        taken += by_topic(flooded.take(limit))
    assert 0.099 <= taken["ordinary"] / taken.total() <= 0.12


async def test_urgent_records_come_first_even_when_slices_are_single_records() -> None:
    flooded = lanes(urgent=20, ordinary=20)
    assert [flooded.take(1).records[0].topic for _ in range(10)] == ["urgent"] * 9 + ["ordinary"]


async def test_a_slice_says_where_each_of_its_inputs_goes_on() -> None:
    assert lanes(urgent=5, ordinary=50).take(15).next_offsets == {URGENT: 5, ORDINARY: 10}


async def test_an_empty_slice_moves_nothing() -> None:
    assert lanes().take(10) == Slice([], {})


async def test_a_closed_lane_holds_its_records_and_holds_up_no_other() -> None:
    made = lanes(urgent=5, ordinary=5)
    made[URGENT].closed_until = asyncio.get_running_loop().time() + 60
    assert by_topic(made.take(100)) == {"ordinary": 5}
    assert len(made[URGENT]) == 5


async def test_a_slice_says_so_when_there_was_only_a_gap() -> None:
    made = lanes()
    compacted = filler(ORDINARY, [3, 7])
    compacted.end = 12
    made.offer(ORDINARY, [compacted])
    assert made.take(2).next_offsets == {ORDINARY: 8}
    assert made.take(2) == Slice([], {ORDINARY: 12})
    assert made.take(2) == Slice([], {})


def test_records_fetched_twice_are_dropped() -> None:
    lane = Lane(ORDINARY)
    lane.offer(filler(ORDINARY, range(10)))
    lane.offer(filler(ORDINARY, range(5, 15)))
    assert [record.offset for record in lane.take(100)] == list(range(15))
    assert lane.next_offset == 15


def test_a_gap_in_the_offsets_is_no_loss_of_what_follows() -> None:
    lane = Lane(ORDINARY)
    lane.offer(filler(ORDINARY, [3, 7, 20]))
    assert [record.offset for record in lane.take(100)] == [3, 7, 20]
    assert lane.next_offset == 21


def test_what_follows_the_last_record_of_a_stretch_is_passed_over_too() -> None:
    lane = Lane(ORDINARY)
    compacted = filler(ORDINARY, [3, 7])
    compacted.end = 12
    lane.offer(compacted)
    assert [record.offset for record in lane.take(100)] == [3, 7]
    assert (lane.position, len(lane), lane.oldest_ms) == (12, 0, None)


@given(
    st.lists(st.tuples(st.lists(st.integers(1, 3), min_size=1, max_size=20), st.integers(0, 25)), max_size=30)
)
def test_what_is_counted_is_what_waits(steps: list[tuple[list[int], int]]) -> None:
    lane, offset, waiting = Lane(ORDINARY), 0, list[int]()
    for gaps, leaving in steps:
        arriving = [offset := offset + gap for gap in gaps]
        lane.offer(filler(ORDINARY, arriving))
        waiting += arriving
        taken = lane.take(leaving)
        assert [record.offset for record in taken] == waiting[:leaving]
        waiting = waiting[leaving:]
        position = lane.position
        assert position is not None
        assert max((r.offset for r in taken), default=-1) < position <= min(waiting, default=offset + 1)
        assert len(lane) == offset + 1 - position
        assert lane.bytes >= len(waiting)
    lane.take(10_000)
    assert (lane.bytes, len(lane)) == (0, 0)


async def test_waiting_ends_when_something_arrives() -> None:
    made = lanes()
    waiting = asyncio.create_task(made.wait(60))
    await asyncio.sleep(0)
    made.offer(URGENT, [filler(URGENT, [0])])
    await asyncio.wait_for(waiting, 5)


async def test_waiting_ends_after_its_time_though_nothing_arrives() -> None:
    await asyncio.wait_for(lanes().wait(0.01), 5)
