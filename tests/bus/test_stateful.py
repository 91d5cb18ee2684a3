"""A decision is made once, whatever repeats, fails or intervenes; its events go out as they were decided."""

import asyncio
from typing import cast

import pytest

from shared.bus.commits import Decided, encode_body, encode_decided
from shared.bus.journal import Changes
from shared.bus.stateful import COMMIT_BYTES, DECISION_BYTES
from shared.store import MAX_BODY_BYTES, Commit, Store
from shared.telemetry import CommitKind, Reason
from tests.bus.desk import STREAM, Desk, ids, new_desk
from tests.bus.faults import Fault, FaultyStore
from tests.bus.support import consumed, raw_record, record_of, report, value_of
from tests.bus.tally import IN, Sum, command
from tests.store.helpers import whole


async def test_an_answer_is_published_folded_and_in_the_log(desk: Desk) -> None:
    outcome = await desk.take(command("add", note=5), command("add", "d2", note=1))
    assert [record.key for record in outcome.records] == [b"d1", b"d2"]
    assert (desk.state("d1").total, desk.state("d2").total) == (5, 1)
    [commit] = await whole(desk.store, STREAM)
    assert len(commit.causes) == 2


async def test_a_redelivered_cause_is_skipped_and_counted(desk: Desk) -> None:
    again = command("add", note=5)
    await desk.take(again)
    assert (await desk.take(again)).records == []
    assert desk.state().total == 5
    assert value_of(desk.metrics.redone, IN.name) == 1


async def test_a_cause_redelivered_after_a_crash_is_skipped(desk: Desk) -> None:
    again = command("add", note=5)
    await desk.take(again)
    after = await desk.restart()
    assert (await after.take(again)).records == []
    assert after.state().total == 5
    assert after.tally.decided == []


async def test_a_duplicate_id_within_one_slice_is_decided_once(desk: Desk) -> None:
    twice = command("add", note=5)
    outcome = await desk.take(twice, command("add", note=1), twice)
    assert len(outcome.records) == 2
    assert desk.state().total == 6


async def test_a_slice_that_changes_nothing_appends_nothing(desk: Desk) -> None:
    again = command("add", note=1)
    await desk.take(again)
    await desk.take(again)
    assert len(await whole(desk.store, STREAM)) == 1


async def test_what_a_crash_kept_back_is_published_by_the_next_owner_byte_for_byte(desk: Desk) -> None:
    decided = await desk.take(command("add", note=5), command("add", note=6), deliver=False)
    after = await desk.restart()
    assert after.out == decided.records
    assert value_of(after.metrics.repeated) == 2


async def test_what_was_acknowledged_and_noted_is_not_published_again(desk: Desk) -> None:
    await desk.take(command("add", note=5))
    await desk.stateful.close()
    assert (await desk.restart()).out == []


async def test_another_writers_commit_is_found_on_conflict_and_published_by_us(desk: Desk) -> None:
    zombie = await new_desk(desk.store)
    theirs = await zombie.take(command("add", note=5), deliver=False)
    ours = await desk.take(command("add", note=2))
    assert ids(ours.records)[:1] == ids(theirs.records)
    assert len(ours.records) == 2
    assert desk.state().total == 7
    assert [commit.n for commit in await whole(desk.store, STREAM)] == [1, 2]
    assert value_of(desk.metrics.retried, Reason.COMMIT_CONFLICT) == 1


async def test_a_cause_that_another_writer_decided_meanwhile_is_not_decided_again(desk: Desk) -> None:
    cause = command("add", note=5)
    zombie = await new_desk(desk.store)
    theirs = await zombie.take(cause, deliver=False)
    ours = await desk.take(cause, command("add", note=1))
    assert ids(ours.records)[0] == ids(theirs.records)[0]
    assert desk.state().total == 6


async def test_another_writers_commit_is_found_though_nothing_comes_in(desk: Desk) -> None:
    zombie = await new_desk(desk.store)
    theirs = await zombie.take(command("add", note=5), deliver=False)
    assert (await desk.stateful.refresh()).records == theirs.records
    assert desk.state().total == 5
    assert (await desk.stateful.refresh()).records == []


@pytest.mark.parametrize("fault", [Fault.UNREACHED, Fault.REPLY_LOST])
async def test_a_store_that_fails_mid_append_costs_no_decision_and_doubles_none(
    store: Store, fault: Fault
) -> None:
    desk = await new_desk(cast("Store", FaultyStore(store, [Fault.NONE, fault, fault])))
    await desk.take(command("add", note=1))
    outcome = await desk.take(command("add", note=2), command("add", note=4))
    assert desk.state().total == 7
    assert len(set(ids(desk.out))) == 3
    assert ids(outcome.records)[-2:] == ids(desk.out)[-2:]
    assert [commit.n for commit in await whole(store, STREAM)] == [1, 2]
    assert desk.state() == (await new_desk(store)).state()


async def test_a_reply_lost_after_insert_is_recognised_as_our_own(store: Store) -> None:
    desk = await new_desk(cast("Store", FaultyStore(store, [Fault.REPLY_LOST])))
    outcome = await desk.take(command("add", note=5))
    assert len(outcome.records) == 1
    assert len(await whole(store, STREAM)) == 1
    assert len(desk.tally.decided) == 1


async def test_poison_in_decide_leaves_no_trace(desk: Desk) -> None:
    outcome = await desk.take(command("add", note=1), command("refuse"), command("add", note=2))
    assert desk.state().total == 3
    assert dict(outcome.dead) == {(IN.name, Reason.HANDLER_ERROR): 1}
    [commit] = await whole(desk.store, STREAM)
    assert len(commit.causes) == 2


async def test_an_answer_that_cannot_be_folded_is_poison_and_the_state_is_unharmed(desk: Desk) -> None:
    await desk.take(command("add", note=10))
    outcome = await desk.take(command("add", note=1), command("break"), command("add", note=2))
    assert dict(outcome.dead) == {(IN.name, Reason.HANDLER_ERROR): 1}
    assert desk.state().total == 13
    assert (await desk.restart()).state() == desk.state()


async def test_a_record_without_a_key_is_poison_and_its_neighbours_are_not(desk: Desk) -> None:
    good = command("add", note=1)
    keyless = raw_record(IN.name, None, good.value, good.headers)
    outcome = await desk.take(keyless, command("add", note=2))
    assert dict(outcome.dead) == {(IN.name, Reason.MISSING_KEY): 1}
    assert desk.state().total == 2


async def test_a_handler_whose_outside_is_away_is_asked_again_in_place(desk: Desk) -> None:
    desk.tally.closed = True

    def open_soon() -> None:
        desk.tally.closed = False

    asyncio.get_running_loop().call_later(0.1, open_soon)
    outcome = await desk.take(command("wait"), command("add", note=1))
    assert not outcome.dead
    assert desk.state().total == 1


async def test_a_slice_larger_than_a_commit_is_split_and_nothing_of_it_is_lost(desk: Desk) -> None:
    slice_ = [command("swell", note=400) for _ in range(8)]
    outcome = await desk.take(*slice_)
    commits = await whole(desk.store, STREAM)
    assert len(commits) > 1
    assert [cause for commit in commits for cause in commit.causes] == [i.decode() for i in ids(slice_) if i]
    assert len(outcome.records) == 8 * 400
    assert value_of(desk.metrics.commits, CommitKind.LOG) == len(commits)


async def test_a_split_slice_is_finished_after_a_fault_in_its_middle(store: Store) -> None:
    desk = await new_desk(cast("Store", FaultyStore(store, [Fault.NONE, Fault.REPLY_LOST])))
    slice_ = [command("swell", note=400) for _ in range(8)]
    outcome = await desk.take(*slice_)
    assert len(set(ids(outcome.records))) == len(outcome.records) == 8 * 400
    assert len(desk.tally.decided) < 16


async def test_a_decision_too_large_for_a_commit_is_poison(desk: Desk) -> None:
    outcome = await desk.take(command("add", note=1), command("swell", note=8000), command("add", note=2))
    assert dict(outcome.dead) == {(IN.name, Reason.DECISION_TOO_LARGE): 1}
    assert desk.state().total == 3


def test_a_full_commit_and_the_largest_decision_fit_one_document() -> None:
    assert COMMIT_BYTES + DECISION_BYTES < MAX_BODY_BYTES


async def test_a_foreign_commit_that_names_no_type_of_ours_stops_the_owner_loudly(desk: Desk) -> None:
    body = encode_body([b'{"key":"d1","cause":"c","answers":[{"teleport":1}]}'])
    await desk.store.append([Commit(STREAM, 1, 1, ("c",), body)])
    with pytest.raises(ValueError, match="does not know"):
        await desk.restart()


async def test_a_key_back_at_its_first_state_costs_nothing(desk: Desk) -> None:
    await desk.take(command("add", note=5), command("clear"))
    assert desk.state() == Sum()
    assert desk.journal.take_snapshot() == Changes(1, {"d1": None})


def test_a_part_without_answers_still_names_its_cause() -> None:
    part = encode_decided(Decided("k", "c", ()))
    assert part == b'{"key":"k","cause":"c","answers":[]}'


async def test_an_event_for_nobody_here_is_passed_over(desk: Desk) -> None:
    outcome = await desk.take(consumed(record_of(IN.name, report(), "d1")), command("add", note=1))
    assert not outcome.dead
    assert len(outcome.records) == 1


async def test_a_partition_that_comes_back_to_the_same_member_is_not_loaded_again(desk: Desk) -> None:
    await desk.take(command("add", note=5))
    known = desk.journal.fold
    await desk.stateful.close()
    assert (await desk.stateful.open()).records == []
    assert desk.journal.fold is known
    await desk.take(command("add", note=1))
    assert desk.state().total == 6


async def test_what_another_owner_appended_in_the_meantime_is_not_missed(desk: Desk) -> None:
    await desk.take(command("add", note=5))
    await desk.stateful.close()
    other = await desk.restart()
    await other.take(command("add", note=2))
    await desk.open()
    assert desk.state().total == 7


async def test_a_member_that_was_cut_off_while_it_closed_loads_again(desk: Desk) -> None:
    await desk.take(command("add", note=5), deliver=False)
    desk.stateful.abandon()
    assert len((await desk.stateful.open()).records) == 1
