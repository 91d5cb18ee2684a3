"""A timer fires once: when it is due, whoever owns it by then, and only if nobody has cancelled it."""

from datetime import timedelta

import pytest

from shared.bus.testing import Rehearsal
from shared.contracts import CommandRequested
from shared.contracts.command import CommandArgs
from shared.store import Store
from shared.telemetry import Reason
from tests.bus.desk import Desk, ids, new_desk
from tests.bus.support import NOW, value_of
from tests.bus.tally import ALARM_SECONDS, IN, Tally, command
from tests.store.helpers import whole


async def test_a_timer_fires_once_when_it_is_due(desk: Desk) -> None:
    await desk.take(command("alarm", note=1))
    assert (await desk.pass_time(ALARM_SECONDS - 1)).records == []
    [told] = (await desk.pass_time(1)).records
    assert b"timer.fired" in (told.value or b"")
    assert (await desk.pass_time(3600)).records == []
    assert value_of(desk.metrics.timers_fired) == 1


async def test_a_running_timer_fires_in_the_next_process_and_never_again_in_the_one_after(desk: Desk) -> None:
    await desk.take(command("alarm", note=1))
    second = await desk.restart()
    assert len((await second.pass_time(ALARM_SECONDS)).records) == 1
    third = await second.restart()
    assert (await third.pass_time(3600)).records == []


async def test_a_timer_that_came_due_while_nobody_was_there_fires_at_once(desk: Desk) -> None:
    await desk.take(command("alarm", note=1))
    desk.clock.advance(24 * 3600)
    after = await desk.restart()
    assert after.stateful.seconds_to_timer() == 0.0
    assert len((await after.pass_time(0)).records) == 1


async def test_a_firing_that_two_owners_make_is_one_decision(desk: Desk) -> None:
    await desk.take(command("alarm", note=1))
    zombie = await desk.restart()
    desk.clock.advance(ALARM_SECONDS)
    theirs = await zombie.pass_time(0)
    ours = await desk.pass_time(0)
    assert ids(theirs.records)[-1:] == ids(ours.records)[-1:]
    assert len({c for commit in await whole(desk.store, desk.journal.stream) for c in commit.causes}) == 2


async def test_a_cancelled_timer_does_not_fire(desk: Desk) -> None:
    await desk.take(command("alarm", note=1), command("cancel", note=1))
    assert desk.stateful.seconds_to_timer() is None
    assert (await desk.pass_time(3600)).records == []
    assert (await (await desk.restart()).pass_time(3600)).records == []


async def test_cancelling_a_timer_that_never_ran_is_no_error(desk: Desk) -> None:
    assert not (await desk.take(command("cancel", note=7))).dead


async def test_setting_a_timer_again_before_it_fired_moves_it(desk: Desk) -> None:
    await desk.take(command("alarm", note=1))
    await desk.pass_time(ALARM_SECONDS / 2)
    await desk.take(command("alarm", note=1))
    assert (await desk.pass_time(ALARM_SECONDS / 2)).records == []
    assert len((await desk.pass_time(ALARM_SECONDS / 2)).records) == 1
    assert (await desk.pass_time(3600)).records == []


async def test_a_timer_that_another_one_moves_on_as_both_come_due_fires_later(desk: Desk) -> None:
    desk.tally.moves = True
    await desk.take(command("alarm", note=1))
    await desk.pass_time(1)
    await desk.take(command("alarm", note=2))
    assert (await desk.pass_time(ALARM_SECONDS)).records == []
    assert (await desk.pass_time(ALARM_SECONDS - 1)).records == []
    assert len((await desk.pass_time(1)).records) == 1


def test_a_rehearsed_timer_that_another_one_moves_on_fires_later_too() -> None:
    tally = Tally()
    tally.moves, stage = True, Rehearsal(tally)
    for attempt in ("1", "2"):
        alarm = CommandRequested(
            desk="d1", actor="desk:test", verb="tally.alarm", args=CommandArgs(note=attempt)
        )
        stage.tell("d1", alarm)
        stage.advance(1)
    assert stage.advance(ALARM_SECONDS) == []
    assert len(stage.advance(ALARM_SECONDS)) == 1


async def test_an_attempt_that_has_fired_cannot_be_set_again_and_says_so(desk: Desk) -> None:
    await desk.take(command("alarm", note=1))
    await desk.pass_time(ALARM_SECONDS)
    outcome = await desk.take(command("alarm", note=1), command("alarm", note=2))
    assert dict(outcome.dead) == {(IN.name, Reason.HANDLER_ERROR): 1}
    assert any(b"next attempt" in (value or b"") for _, value in outcome.records[0].headers)
    assert len((await desk.pass_time(ALARM_SECONDS)).records) == 1


async def test_timers_fire_in_the_order_they_are_due(desk: Desk) -> None:
    await desk.take(command("alarm", "d1", note=1))
    await desk.pass_time(1)
    await desk.take(command("alarm", "d2", note=1))
    keys = [record.key for record in (await desk.pass_time(3600)).records]
    assert keys == [b"d1", b"d2"]


async def test_a_timer_whose_decision_fails_is_tried_again_and_holds_up_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.take(command("alarm", "d1", note=1), command("alarm", "d2", note=1))
    real, failures = desk.tally.decide, ["d1/alarm"]

    def decide(state: object, event: object, now: object) -> object:
        if getattr(event, "subject", "") in failures:
            raise RuntimeError("not today")
        return real(state, event, now)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.tally, "decide", decide)
    assert [record.key for record in (await desk.pass_time(ALARM_SECONDS)).records] == [b"d2"]
    assert value_of(desk.metrics.failed, "timer", Reason.HANDLER_ERROR) == 1
    failures.clear()
    assert [record.key for record in (await desk.pass_time(60)).records] == [b"d1"]


async def test_the_worker_is_told_how_long_to_sleep(store: Store) -> None:
    desk = await new_desk(store)
    assert desk.stateful.seconds_to_timer() is None
    await desk.take(command("alarm", note=1))
    assert desk.journal.fold.next_due() == NOW + timedelta(seconds=ALARM_SECONDS)
    seconds = desk.stateful.seconds_to_timer()
    assert seconds is not None
    assert seconds > 0
