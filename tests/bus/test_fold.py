"""What a decider's owner holds in memory is what runs and what is not empty, whatever has been."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.bus.commits import Decided, TimerCancelled, TimerSet
from shared.bus.emit import Timer
from shared.bus.fold import SPARE_ENTRIES, Fold
from tests.bus.support import NOW
from tests.bus.tally import Sum, Tally

KEYS = st.sampled_from(["a", "b"])
STEPS = st.lists(st.tuples(KEYS, st.sampled_from(["set", "cancel", "fire"]), st.integers(0, 4)), max_size=60)


def timer(number: int) -> Timer:
    return Timer(f"subject-{number}", "review", NOW + timedelta(seconds=number))


def decided(key: str, what: str, number: int) -> Decided:
    match what:
        case "set":
            return Decided(key, "a cause", (TimerSet(timer(number)),))
        case "cancel":
            return Decided(key, "a cause", (TimerCancelled(timer(number).id),))
    return Decided(key, timer(number).id, ())


@given(STEPS)
def test_timers_are_counted_and_come_due_in_order(steps: list[tuple[str, str, int]]) -> None:
    fold, running = Fold(Tally()), set[tuple[str, int]]()
    for key, what, number in steps:
        fold.apply(decided(key, what, number))
        (running.add if what == "set" else running.discard)((key, number))
        assert fold.timers == len(running)
    due = [(key, found.subject) for key, found in fold.due(NOW + timedelta(seconds=9))]
    assert sorted(set(due)) == sorted((key, f"subject-{number}") for key, number in running)


def test_timers_that_are_set_and_cancelled_leave_nothing_behind() -> None:
    fold = Fold(Tally())
    for number in range(3 * SPARE_ENTRIES):
        fold.apply(decided("a", "set", number))
        fold.apply(decided("a", "cancel", number))
    assert fold.timers == 0
    assert len(fold._agenda) <= SPARE_ENTRIES + 2


def test_a_key_that_is_empty_again_is_forgotten_once_its_change_was_saved() -> None:
    fold = Fold(Tally())
    fold.apply(decided("a", "set", 1))
    fold.apply(decided("a", "cancel", 1))
    assert fold.take_changes() == {"a": None}
    fold.let_go("a")
    assert "a" not in fold
    assert fold["a"].state == Sum()
