"""What counts as taken over, and how long an input stood still."""

from tests.crash.checker import Sighting
from tests.crash.takeover import HandOver, Takeover

FIRST, SECOND = (False, 0), (False, 1)


def effect(timestamp: float, decided: str = "") -> Sighting:
    return Sighting("incidents", "t.incidents", 0, b"i1", {}, "id", 0, timestamp, decided)


def test_a_takeover_is_complete_when_every_input_has_an_effect_made_after_the_fault() -> None:
    takeover = Takeover("desk", [FIRST, SECOND], begun=10.0)
    takeover.see("desk", FIRST, effect(9.9))
    takeover.see("sink", SECOND, effect(11.0))
    assert takeover.left == [FIRST, SECOND]
    takeover.see("desk", FIRST, effect(16.0))
    takeover.see("desk", SECOND, effect(17.0))
    assert takeover.complete.is_set()
    assert takeover.seconds == [6.0, 7.0]


def test_an_effect_that_was_only_published_late_does_not_count_as_decided() -> None:
    takeover = Takeover("desk", [FIRST], begun=10.0, decided="2026-11-23T00:00:10.000Z")
    takeover.see("desk", FIRST, effect(12.0, decided="2026-11-23T00:00:09.000Z"))
    assert not takeover.complete.is_set()
    takeover.see("desk", FIRST, effect(13.0, decided="2026-11-23T00:00:12.000Z"))
    assert takeover.seconds == [3.0]


def test_a_hand_over_measures_the_longest_pause_and_ends_after_the_member_has_gone() -> None:
    hand_over = HandOver("desk", [FIRST], begun=10.0)
    for at in (10.1, 10.2, 11.5, 11.6):
        hand_over.see("desk", FIRST, effect(at))
    assert not hand_over.complete.is_set()
    hand_over.gone(11.7)
    hand_over.see("desk", FIRST, effect(11.8))
    assert hand_over.complete.is_set()
    assert [round(seconds, 1) for seconds in hand_over.seconds] == [1.3]


def test_who_owned_nothing_is_taken_over_at_once() -> None:
    assert Takeover("desk", [], begun=10.0).complete.is_set()
