"""Memory says at once which recent causes were decided; the store is asked about the old ones only."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.causes import KEY_BYTES, SKEW_MS, Causes, key_of

HOUR_MS = 3_600_000
NOW_MS = 5 * HOUR_MS
UUID = "5e9a2c1e-7d0b-5f43-9c55-6b1f0d3a7e11"


class Asked:
    """A store that knows some causes, and remembers what it was asked."""

    def __init__(self, *known: str) -> None:
        self.known, self.questions = set(known), list[str]()

    async def __call__(self, causes: Sequence[str]) -> set[str]:
        self.questions += causes
        return self.known & set(causes)


def at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


async def test_a_recent_cause_is_recognised_without_asking() -> None:
    asked = Asked()
    causes = Causes(asked)
    causes.remember(["a"], HOUR_MS)
    await causes.recall([("a", at(HOUR_MS)), ("b", at(HOUR_MS))], NOW_MS)
    assert "a" in causes
    assert "b" not in causes
    assert asked.questions == []


async def test_what_memory_has_forgotten_raises_the_floor_and_older_causes_are_looked_up() -> None:
    asked = Asked("a")
    causes = Causes(asked, capacity=2)
    for number, cause in enumerate("abcd"):
        causes.remember([cause], (number + 1) * HOUR_MS)
    assert causes.floor_ms == 2 * HOUR_MS
    await causes.recall([("a", at(HOUR_MS)), ("new", at(4 * HOUR_MS + SKEW_MS))], NOW_MS)
    assert "a" in causes
    assert "new" not in causes
    assert asked.questions == ["a"]


async def test_clocks_that_differ_a_little_do_not_hide_a_decided_cause() -> None:
    asked = Asked("a")
    causes = Causes(asked)
    causes.floor_ms = HOUR_MS
    await causes.recall([("a", at(HOUR_MS + SKEW_MS)), ("b", at(HOUR_MS + SKEW_MS + 1))], NOW_MS)
    assert "a" in causes
    assert asked.questions == ["a"]


async def test_a_cause_stamped_far_ahead_of_the_log_is_looked_up_since_its_clock_says_nothing() -> None:
    asked = Asked("ahead")
    causes = Causes(asked, capacity=1)
    causes.remember(["a"], HOUR_MS)
    causes.remember(["b"], 2 * HOUR_MS)
    await causes.recall([("ahead", at(3 * HOUR_MS))], now_ms=2 * HOUR_MS)
    assert "ahead" in causes


async def test_after_a_quiet_time_new_causes_are_not_looked_up() -> None:
    asked = Asked()
    causes = Causes(asked, capacity=1)
    causes.remember(["a"], HOUR_MS)
    causes.remember(["b"], 2 * HOUR_MS)
    await causes.recall([("new", at(4 * HOUR_MS))], now_ms=4 * HOUR_MS)
    assert asked.questions == []


async def test_an_old_cause_that_memory_still_has_is_not_looked_up() -> None:
    asked = Asked()
    causes = Causes(asked)
    causes.floor_ms = 2 * HOUR_MS
    causes.remember(["a"], 3 * HOUR_MS)
    await causes.recall([("a", at(0))], NOW_MS)
    assert "a" in causes
    assert asked.questions == []


async def test_memory_is_bounded_however_many_causes_a_commit_has() -> None:
    causes = Causes(Asked(), capacity=10)
    for number in range(100):
        causes.remember([f"{number}/{n}" for n in range(4)], number * HOUR_MS)
        assert sum(f"{past}/{n}" in causes for past in range(number + 1) for n in range(4)) <= 10 + 2 * 4
    assert causes.floor_ms >= 95 * HOUR_MS


@given(st.text(max_size=40) | st.uuids().map(str), st.text(max_size=40) | st.uuids().map(str))
def test_two_causes_are_remembered_by_one_key_only_if_they_are_the_same(one: str, other: str) -> None:
    assert (key_of(one) == key_of(other)) is (one == other)
    assert len(key_of(one)) == KEY_BYTES


@pytest.mark.parametrize(
    "alike",
    [
        UUID.upper(),
        UUID.replace("-", ""),
        UUID[:-1] + "-",
        UUID.replace("c1", "C1"),
        f" {UUID[1:]}",
        UUID.replace("2c1e", "  2c"),
        f"{{{UUID}}}",
    ],
)
def test_what_only_looks_like_a_uuid_is_not_taken_for_it(alike: str) -> None:
    assert alike != UUID
    assert key_of(alike) != key_of(UUID)


async def test_a_cause_looked_up_for_one_slice_is_not_taken_as_known_in_the_next() -> None:
    causes = Causes(Asked("a"))
    causes.floor_ms = HOUR_MS
    await causes.recall([("a", at(0))], NOW_MS)
    await causes.recall([("b", at(0))], NOW_MS)
    assert "a" not in causes
