"""What every adapter owes its caller: the commit log, its head and snapshots, and the parking place."""

import asyncio
from dataclasses import replace

import pytest

from shared.store import MAX_BODY_BYTES, MAX_STATE_BYTES, Commit, Head, Snapshot, Store, open_store
from tests.store.helpers import (
    LANE,
    a_commit,
    a_parked,
    eventually,
    new_stream,
    numbers,
    opened,
    whole,
    write_until,
)


async def fill(store: Store, stream: str, last: int) -> list[Commit]:
    """Append commits 1 to `last`, decided at 1,000 ms, 2,000 ms …."""
    log = [a_commit(stream, n, at=n * 1_000) for n in range(1, last + 1)]
    assert await store.append(log) == [True] * last
    return log


async def test_what_was_appended_comes_back_in_order(store: Store, stream: str) -> None:
    log = [Commit(stream, n, n * 1_000, ("b", "a", f"c{n}"), bytes(range(256))) for n in (1, 2, 3)]
    assert await store.append(log) == [True, True, True]
    assert await store.tail(stream, 0) == log
    assert await store.tail(stream, 2) == log[2:]
    assert await store.tail(stream, 3) == []
    assert await store.commit(stream, 2) == log[1]
    assert await store.commit(stream, 4) is None


async def test_commits_of_many_streams_go_in_together_and_stay_apart(store: Store) -> None:
    streams = [new_stream() for _ in range(20)]
    commits = [a_commit(stream, 1, stream.encode()) for stream in streams]
    assert await store.append(commits) == [True] * 20
    assert [await store.tail(stream, 0) for stream in streams] == [[commit] for commit in commits]


async def test_only_the_commit_whose_place_is_taken_is_refused(store: Store, stream: str) -> None:
    other = new_stream()
    await store.append([a_commit(stream, 1, b"first")])
    answers = await store.append([a_commit(stream, 1, b"second"), a_commit(other, 1), a_commit(stream, 2)])
    assert answers == [False, True, True]
    assert [commit.body for commit in await store.tail(stream, 0)] == [b"first", b"body"]


async def test_one_place_twice_in_one_call_has_one_winner(store: Store, stream: str) -> None:
    assert await store.append([a_commit(stream, 1, b"first"), a_commit(stream, 1, b"second")]) == [
        True,
        False,
    ]
    assert [commit.body for commit in await store.tail(stream, 0)] == [b"first"]


async def test_appending_nothing_answers_nothing(store: Store) -> None:
    assert await store.append([]) == []


async def test_a_log_is_read_page_by_page(store: Store, stream: str) -> None:
    log = await fill(store, stream, 25)
    for page in (1, 7, 8, 9, 24, 25, 26):
        assert await whole(store, stream, page=page) == log
    assert [commit.n for commit in await store.tail(stream, 3, limit=10)] == list(range(4, 14))


async def test_every_place_has_one_winner_when_two_writers_race(store_url: str, stream: str) -> None:
    won: tuple[list[int], list[int]] = ([], [])
    async with opened(store_url) as one, opened(store_url) as two:
        await asyncio.gather(
            write_until(one, stream, 40, b"one", won[0]), write_until(two, stream, 40, b"two", won[1])
        )
        log = await whole(one, stream)
    assert sorted(won[0] + won[1]) == [commit.n for commit in log] == list(range(1, 41))
    assert [commit.n for commit in log if commit.body == b"one"] == won[0]


async def test_a_cause_is_known_as_long_as_its_commit_is_kept(store: Store, stream: str) -> None:
    other = new_stream()
    await store.append([a_commit(stream, 1, causes=("a", "b")), a_commit(stream, 2, causes=("c",))])
    await store.append([a_commit(other, 1, causes=("d",))])
    assert await store.known_causes(stream, ["a", "c", "d", "e"]) == {"a", "c"}
    assert await store.known_causes(stream, []) == set()
    assert await store.purge(stream, up_to=1, before=2_000) == 1
    assert await store.known_causes(stream, ["a", "b", "c"]) == {"c"}


async def test_a_thousand_causes_of_one_commit_are_all_known(store: Store, stream: str) -> None:
    causes = tuple(f"cause-{i}" for i in range(1_000))
    await store.append([a_commit(stream, 1, causes=causes)])
    assert await store.known_causes(stream, [*causes, "other"]) == set(causes)


async def test_purge_stops_at_what_is_young_or_not_in_a_snapshot(store: Store, stream: str) -> None:
    await fill(store, stream, 10)
    assert await store.purge(stream, up_to=4, before=100_000) == 4
    assert await store.purge(stream, up_to=10, before=7_000) == 2
    assert await store.purge(stream, up_to=10, before=7_000) == 0
    assert await numbers(store, stream) == [7, 8, 9, 10]


async def test_purge_leaves_no_hole_when_clocks_ran_backwards(store: Store, stream: str) -> None:
    await store.append([a_commit(stream, n, at=at) for n, at in [(1, 100), (2, 900), (3, 200), (4, 300)]])
    assert await store.purge(stream, up_to=4, before=500) == 1
    assert await numbers(store, stream) == [2, 3, 4]


async def test_purge_takes_many_pages_and_no_other_stream(store: Store, stream: str) -> None:
    other = new_stream()
    await fill(store, other, 2)
    log = [a_commit(stream, n) for n in range(1, 1_203)]
    assert all(await store.append(log))
    assert await store.purge(stream, up_to=1_201, before=2_000) == 1_201
    assert await numbers(store, stream) == [1_202]
    assert await numbers(store, other) == [1, 2]


async def test_a_purged_log_may_be_empty_and_goes_on(store: Store, stream: str) -> None:
    await fill(store, stream, 3)
    await store.purge(stream, up_to=3, before=100_000)
    assert await store.tail(stream, 0) == await store.tail(stream, 3) == []
    assert await store.append([a_commit(stream, 4)]) == [True]
    assert [commit.n for commit in await store.tail(stream, 3)] == [4]


def test_a_body_above_the_limit_is_refused_before_it_reaches_a_store() -> None:
    with pytest.raises(ValueError, match="1048577 bytes, at most 1048576"):
        a_commit("dispatch/3", 1, bytes(MAX_BODY_BYTES + 1))


async def test_a_body_at_the_limit_is_stored(store: Store, stream: str) -> None:
    commit = a_commit(stream, 1, bytes(MAX_BODY_BYTES))
    assert await store.append([commit]) == [True]
    assert await store.tail(stream, 0) == [commit]


@pytest.mark.parametrize(("stream", "n"), [("dispatch/3", 0), ("dispatch:3", 1)])
def test_a_commit_that_could_not_be_told_from_another_is_refused(stream: str, n: int) -> None:
    with pytest.raises(ValueError, match=r"dispatch.3"):
        a_commit(stream, n)


def test_a_lane_that_could_not_be_told_from_another_is_refused() -> None:
    with pytest.raises(ValueError, match="no colon"):
        replace(a_parked(1), lane="a:b/0")


async def test_a_head_is_zero_until_saved_and_then_the_last_one_saved(store: Store, stream: str) -> None:
    assert await store.head(stream) == Head(stream, snapshot_n=0, published_n=0)
    await store.save_head(Head(stream, 3, 5))
    await store.save_head(Head(stream, 2, 4))
    assert await store.head(stream) == Head(stream, 2, 4)


async def test_snapshots_are_the_last_state_of_every_key_that_has_one(store: Store, stream: str) -> None:
    await store.save_snapshots(stream, 1, {"a": b"a1", "b": b"b1", "c": b"c1"})
    await store.save_snapshots(stream, 2, {"b": b"", "c": None, "d": None, "é:/": b"\x00\xff"})
    await store.save_snapshots(new_stream(), 9, {"a": b"other"})
    await store.save_snapshots(stream, 3, {})
    assert sorted(await store.snapshots(stream), key=lambda snapshot: snapshot.key) == [
        Snapshot(stream, "a", 1, b"a1"),
        Snapshot(stream, "b", 2, b""),
        Snapshot(stream, "é:/", 2, b"\x00\xff"),
    ]


async def test_many_streams_may_save_many_states_while_they_append(store: Store) -> None:
    states = {f"key-{n}": b"x" * 300 for n in range(60)}

    async def live(stream: str) -> None:
        for n in range(1, 21):
            assert await store.append([a_commit(stream, n, body=b"y" * 2_000)]) == [True]
            if n % 10 == 0:
                await store.save_snapshots(stream, n, states)

    streams = [new_stream() for _ in range(6)]
    await asyncio.gather(*map(live, streams))
    for stream in streams:
        assert {s.key: (s.n, s.state) for s in await store.snapshots(stream)} == {
            key: (20, state) for key, state in states.items()
        }


async def test_a_writer_that_was_frozen_cannot_undo_later_snapshots(store: Store, stream: str) -> None:
    await store.save_snapshots(stream, 5, {"kept": b"new", "dropped": b"new"})
    await store.save_snapshots(stream, 6, {"dropped": None})
    await store.save_snapshots(stream, 4, {"kept": b"old", "dropped": b"old", "own": b"old"})
    found = {snapshot.key: snapshot.state for snapshot in await store.snapshots(stream)}
    assert found == {"kept": b"new", "own": b"old"}


async def test_a_dropped_key_may_come_back_even_after_its_mark_was_purged(store: Store, stream: str) -> None:
    await fill(store, stream, 4)
    await store.save_snapshots(stream, 2, {"a": None, "b": None, "c": b"c2"})
    await store.save_snapshots(stream, 3, {"a": b"a3"})
    await store.purge(stream, up_to=3, before=100_000)
    await store.save_snapshots(stream, 4, {"b": b"b4"})
    found = {snapshot.key: snapshot.state for snapshot in await store.snapshots(stream)}
    assert found == {"a": b"a3", "b": b"b4", "c": b"c2"}


async def test_the_mark_of_a_dropped_key_lasts_as_long_as_the_commits_it_outlived(
    store: Store, stream: str
) -> None:
    await fill(store, stream, 4)
    await store.save_snapshots(stream, 2, {"a": None})
    await store.save_snapshots(stream, 4, {"b": None})
    await store.purge(stream, up_to=3, before=100_000)
    await store.save_snapshots(stream, 1, {"a": b"late", "b": b"late"})
    assert await store.snapshots(stream) == [Snapshot(stream, "a", 1, b"late")]


async def test_a_state_above_the_limit_is_refused(store: Store, stream: str) -> None:
    with pytest.raises(ValueError, match=r"state of .*:a has"):
        await store.save_snapshots(stream, 1, {"a": bytes(MAX_STATE_BYTES + 1)})
    assert await store.snapshots(stream) == []


async def test_parked_messages_come_back_whole_by_topic_then_offset(store: Store) -> None:
    await store.park([a_parked(10), a_parked(9), a_parked(2, topic="desks.commands")])
    await store.park([a_parked(100), a_parked(3, key=b"\xff\x00other")])
    found = await store.parked(LANE, b"k")
    assert found == [a_parked(2, topic="desks.commands"), a_parked(9), a_parked(10), a_parked(100)]
    assert await store.parked(LANE, b"k", limit=2) == found[:2]
    assert await store.parked_keys(LANE) == {b"k", b"\xff\x00other"}
    assert await store.parked_keys("notify/1") == set()


async def test_parking_and_releasing_twice_is_doing_it_once(store: Store) -> None:
    await store.park([a_parked(1), a_parked(2)])
    await store.park([a_parked(2), a_parked(3)])
    assert await store.parked(LANE, b"k") == [a_parked(1), a_parked(2), a_parked(3)]
    for _ in range(2):
        await store.release([a_parked(1), a_parked(3)])
    assert await store.parked(LANE, b"k") == [a_parked(2)]
    await store.release([a_parked(2)])
    assert await store.parked_keys(LANE) == set()


async def test_several_processes_may_start_at_once_on_an_empty_store(store_url: str, stream: str) -> None:
    stores = [open_store(store_url) for _ in range(4)]
    await asyncio.gather(*(eventually(store.start) for store in stores))
    answers = await asyncio.gather(*(store.append([a_commit(stream, 1)]) for store in stores))
    assert sorted(answers) == [[False], [False], [False], [True]]
    for store in stores:
        await store.close()


async def test_what_was_stored_is_there_for_the_next_process(store_url: str, stream: str) -> None:
    async with opened(store_url) as store:
        log = await fill(store, stream, 3)
        await store.save_snapshots(stream, 3, {"a": b"a"})
        await store.save_head(Head(stream, 3, 2))
        await store.park([a_parked(1)])
    async with opened(store_url) as store:
        await store.start()
        await store.ping()
        assert await whole(store, stream) == log
        assert await store.snapshots(stream) == [Snapshot(stream, "a", 3, b"a")]
        assert await store.head(stream) == Head(stream, 3, 2)
        assert await store.parked(LANE, b"k") == [a_parked(1)]
