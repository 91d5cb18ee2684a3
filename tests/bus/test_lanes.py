"""Urgent records are handled first, and a flood of them still leaves the ordinary ones their tenth."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.incoming import Incoming
from shared.bus.lanes import LATEST_MS, Lane, Lanes, Slice
from shared.bus.turnstile import LATE_MS, Claim, Hurry
from tests.bus.support import NOW, Unpacked, filler, raw_record

OLDEST_MS = NOW.timestamp() * 1000
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


async def test_what_may_not_begin_gets_no_more_than_its_tenth() -> None:
    assert by_topic(lanes(urgent=20, ordinary=1000).take(100, begin=False)) == {"urgent": 20, "ordinary": 10}


async def test_ordinary_records_begin_where_nothing_else_waits() -> None:
    assert by_topic(lanes(ordinary=1000).take(100, begin=False)) == {"ordinary": 100}


def waiting(**kind: Any) -> Lane:
    """A lane of which something waits."""
    lane = Lane(ORDINARY, **kind)
    lane.offer(filler(ORDINARY, range(3)))
    return lane


def test_what_waits_for_long_is_late_unless_it_only_begins_something() -> None:
    late = OLDEST_MS + LATE_MS + 1
    assert waiting().claim(late) == Claim(Hurry.LATE, OLDEST_MS)
    assert waiting().claim(late - 1) == Claim(Hurry.WAITED_FOR)
    assert waiting(begins=True).claim(late) == Claim(Hurry.WAITED_FOR)
    assert waiting(outsiders=True).claim(late) == Claim(Hurry.WAITED_FOR)
    assert waiting().claim(late + 100 * LATEST_MS) == Claim(Hurry.LATE, late + 99 * LATEST_MS)
    assert waiting(hurry=Hurry.NOBODY_WAITS).claim(late) == Claim(Hurry.NOBODY_WAITS)
    assert waiting(hurry=Hurry.VITAL).claim(late) == Claim(Hurry.VITAL)


def test_what_is_known_is_what_an_answer_tells_that_was_asked_for_after_the_one_before() -> None:
    lane, born_ms, known = Lane(URGENT, urgent=True), time.time() * 1000, list[float]()
    for position, end, answered_ms in ((0, 5, 1.0), (5, 5, 1.0), (5, 5, 2.0), (5, 7, 3.0), (7, 7, 4.0)):
        lane.look(born_ms + answered_ms)
        lane.hear(position, end)
        known.append(lane.known_ms(born_ms + 4.0) - born_ms)
    assert known[0] == -born_ms
    assert known[1] == pytest.approx(0.0, abs=1000.0)
    assert known[2:] == [1.0, 1.0, 3.0]


def test_what_waits_is_not_known_whatever_is_at_the_broker() -> None:
    lane = Lane(URGENT, urgent=True)
    lane.offer(filler(URGENT, range(3)))
    for answered_ms in (OLDEST_MS + 5.0, OLDEST_MS + 9.0):
        lane.look(answered_ms)
        lane.hear(3, 3)
    assert lane.known_ms(OLDEST_MS + 10.0) == OLDEST_MS
    lane.take(3)
    assert lane.known_ms(OLDEST_MS + 10.0) == OLDEST_MS + 5.0


def test_a_lane_of_which_nothing_is_heard_for_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    lane, at_ms, now = Lane(URGENT, urgent=True), time.time() * 1000, time.monotonic()
    silent: list[bool] = []
    looks = [(1.0, None), (2.0, 1.0), *((2.0 + n / 10, 1.0) for n in range(1, 103)), (60.0, 1.0), (60.1, 2.0)]
    for seconds, answered_ms in looks:
        monkeypatch.setattr("shared.bus.lanes.time.monotonic", lambda at=now + seconds: at)
        lane.look(answered_ms)
        if answered_ms is not None:
            lane.hear(0, 5)
        silent.append(lane.known_ms(at_ms) == at_ms)
    assert silent == [False] * 102 + [True] * 3 + [False]


def test_who_did_not_look_does_not_take_the_broker_for_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    lane, at_ms, now = Lane(URGENT, urgent=True), time.time() * 1000, time.monotonic()
    for seconds in (3_600, 7_200):
        monkeypatch.setattr("shared.bus.lanes.time.monotonic", lambda at=now + seconds: at)
        lane.look(None)
        assert lane.known_ms(at_ms) == 0.0


def test_a_lane_is_empty_as_soon_as_all_was_taken() -> None:
    lane = Lane(ORDINARY)
    lane.offer(filler(ORDINARY, range(3)))
    lane.take(3)
    assert (lane.open_at(0.0), lane.bytes, len(lane)) == (False, 0, 0)


def test_another_writers_slow_clock_makes_nothing_younger() -> None:
    lane = Lane(ORDINARY)
    for offset, ms in ((0, 9_000), (1, 1_000)):
        row = replace(marked(offset, b"k"), timestamp=ms)  # type: ignore[type-var]
        lane.offer(Unpacked([row], offset))
        lane.take(2 - 2 * offset)
    assert lane.oldest_ms == 1_000


async def test_the_lanes_claim_what_the_first_of_them_does() -> None:
    made = Lanes([waiting(begins=True), Lane(COMMANDS, urgent=True)], asyncio.Event())
    assert made.claim() == Claim(Hurry.WAITED_FOR)
    made.offer(COMMANDS, [filler(COMMANDS, range(1))])
    assert made.claim().hurry is Hurry.LATE
    made[COMMANDS].closed_until = asyncio.get_running_loop().time() + 60
    assert made.claim() == Claim(Hurry.WAITED_FOR)


async def test_what_is_unknown_is_the_age_of_what_waits_on_an_open_urgent_lane() -> None:
    made = Lanes([waiting(), Lane(COMMANDS, urgent=True)], asyncio.Event())
    made.offer(COMMANDS, [filler(COMMANDS, range(1))])
    assert made.unknown_seconds() == pytest.approx(time.time() - OLDEST_MS / 1000, abs=5.0)
    made[COMMANDS].closed_until = asyncio.get_running_loop().time() + 60
    assert made.unknown_seconds() == 0.0
    assert Lanes([waiting()], asyncio.Event()).unknown_seconds() == 0.0


MARK = b"!"
ROWS = st.lists(
    st.lists(st.tuples(st.sampled_from(b"abc"), st.booleans()), min_size=1, max_size=8), max_size=30
)


@given(ROWS, st.data())
def test_what_overtakes_keeps_the_order_of_its_key_and_is_taken_once(
    stretches: list[list[tuple[int, bool]]], data: st.DataObject
) -> None:
    lane, offset, taken, waiting = Lane(ORDINARY, overtaking=MARK), 0, list[Incoming](), list[Incoming]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.bus.lanes.OVERTAKE_FROM", data.draw(st.integers(0, 10)))
        for rows in stretches:
            some = [marked(offset + n, bytes([key]), mark) for n, (key, mark) in enumerate(rows)]
            offset += len(rows)
            lane.offer(Once(some, some[0].offset))
            waiting += some
            if data.draw(st.booleans()):
                lane.overtake()
            taken += lane.take(data.draw(st.integers(0, 5)))
            left = {r.offset for r in waiting} - {r.offset for r in taken}
            assert (lane.position or 0) <= min(left, default=offset)
    taken += lane.take(10_000)
    assert sorted(r.offset for r in taken) == list(range(offset))
    for key in (b"a", b"b", b"c"):
        mine = [r.offset for r in taken if r.key == key]
        assert mine == sorted(mine)
    assert (lane.position or 0, len(lane), lane.bytes) == (offset, 0, 0)


def test_a_marked_record_goes_ahead_with_what_waits_of_its_key_and_with_nothing_else() -> None:
    lane = Lane(ORDINARY, overtaking=MARK)
    others = [marked(n, b"o", mark=False) for n in range(20)]
    lane.offer(Once([*others, marked(20, b"k", mark=False)], 0))
    lane.offer(Once([marked(n, b"o", mark=False) for n in range(21, 90)], 21))
    lane.offer(Once([marked(90, b"o", mark=False), marked(91, b"k"), marked(92, b"k", mark=False)], 90))
    lane.overtake()
    assert lane.claim(0.0) == Claim(Hurry.VITAL)
    assert [r.offset for r in lane.take(3)] == [20, 91, 0]
    assert (lane.position, lane.claim(0.0)) == (1, Claim(Hurry.WAITED_FOR))
    assert [r.offset for r in lane.take(100)] == [*range(1, 20), *range(21, 91), 92]


def test_nothing_overtakes_where_little_waits() -> None:
    lane = Lane(ORDINARY, overtaking=MARK)
    lane.offer(Once([marked(0, b"o", mark=False), marked(1, b"k")], 0))
    lane.overtake()
    assert [r.offset for r in lane.take(10)] == [0, 1]


def marked(offset: int, key: bytes, mark: bool = True) -> Incoming:
    """A record of a key that may overtake, or may not."""
    return raw_record(ORDINARY.topic, key, MARK if mark else b"-", (), offset, ORDINARY.partition)


class Once(Unpacked):
    """A stretch that can be unpacked once only, as those from the broker."""

    unpacked = False

    def records(self) -> Iterator[Incoming]:
        assert not self.unpacked
        self.unpacked = True
        return super().records()


async def test_waiting_ends_when_something_arrives() -> None:
    made = lanes()
    waiting = asyncio.create_task(made.wait(60))
    await asyncio.sleep(0)
    made.offer(URGENT, [filler(URGENT, [0])])
    await asyncio.wait_for(waiting, 5)


async def test_waiting_ends_after_its_time_though_nothing_arrives() -> None:
    await asyncio.wait_for(lanes().wait(0.01), 5)
