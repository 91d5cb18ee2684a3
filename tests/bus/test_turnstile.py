"""Who goes next, and how much may happen in one turn of the event loop."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from shared.bus.turnstile import BREATHS, FAIR_SHARE, Claim, Hurry, Turnstile


def calm() -> Claim:
    return Claim(Hurry.WAITED_FOR)


def vital() -> Claim:
    return Claim(Hurry.VITAL)


def lazy() -> Claim:
    return Claim(Hurry.NOBODY_WAITS)


class Line:
    """Callers who go through again and again, and the order in which they did."""

    def __init__(self) -> None:
        self.turnstile = Turnstile()
        self.went: list[str] = []
        self._callers = list[asyncio.Task[None]]()

    def join(self, name: str, claim: Callable[[], Claim], times: int = 1) -> asyncio.Task[None]:
        """Let somebody go through `times`."""
        caller = asyncio.create_task(self._go(name, claim, times))
        self._callers.append(caller)
        return caller

    async def all_through(self) -> list[str]:
        """Return the order once everybody who was not cancelled is through."""
        await asyncio.gather(*self._callers, return_exceptions=True)
        return self.went

    async def _go(self, name: str, claim: Callable[[], Claim], times: int) -> None:
        for _ in range(times):
            await self.turnstile.go_through(claim)
            self.went.append(name)


async def test_the_loop_turns_a_few_times_between_two_that_go_through() -> None:
    line = Line()
    for name in "abcd":
        line.join(name, calm, times=50)
    turns, gaps = 0, list[int]()
    while len(line.went) < 200:
        before = len(line.went)
        await asyncio.sleep(0)
        turns += 1
        if len(line.went) > before:
            assert len(line.went) == before + 1
            gaps.append(turns)
            turns = 0
    assert min(gaps[2:]) > BREATHS
    assert "".join(line.went) == "a" + "abcd" * 49 + "bcd"  # the first came again before the others came


async def test_who_comes_alone_does_not_wait() -> None:
    turnstile = Turnstile()
    coming = turnstile.go_through(calm)
    with_nobody_there = next(coming.__await__(), "through")
    coming.close()
    assert with_nobody_there == "through"


async def test_the_one_in_the_greatest_hurry_goes_first() -> None:
    line = Line()
    for name, claim in [("first", calm), ("l", lazy), ("a", calm), ("b", calm), ("v", vital)]:
        line.join(name, claim)
    assert await line.all_through() == ["first", "v", "a", "b", "l"]


async def test_of_what_is_late_the_oldest_goes_first() -> None:
    line = Line()
    line.join("first", calm)
    for name, since in [("c", 30.0), ("a", 10.0), ("b", 20.0)]:
        line.join(name, partial(Claim, Hurry.LATE, since))
    line.join("new", calm)
    assert await line.all_through() == ["first", "a", "b", "c", "new"]


@pytest.mark.parametrize(("hurry", "may"), [(Hurry.LATE, False), (Hurry.WAITED_FOR, True)])
async def test_nothing_begins_beside_what_is_late(hurry: Hurry, may: bool) -> None:
    turnstile = Turnstile()
    comes_first = turnstile.go_through(calm)
    waits, the_other = turnstile.go_through(vital), turnstile.go_through(partial(Claim, hurry))
    assert tuple(await asyncio.gather(comes_first, waits, the_other)) == (True, may, may)


async def test_what_hurry_may_come_while_one_waits() -> None:
    line, has_come = Line(), asyncio.Event()
    for name in "abcdef":
        line.join(name, calm)
    line.join("late", lambda: vital() if has_come.is_set() else lazy())
    await asyncio.sleep(0)
    has_come.set()
    assert (await line.all_through()).index("late") == 1


async def test_nobody_waits_for_ever_for_what_hurry() -> None:
    line = Line()
    for name in "vwx":
        line.join(name, vital, times=100)
    for name in "ab":
        line.join(name, calm, times=10)
    went = await line.all_through()
    turns = [place for place, name in enumerate(went) if name in "ab"]
    assert len(turns) == 20
    assert max(turns) <= 20 * FAIR_SHARE


async def test_who_has_left_holds_up_nobody() -> None:
    line = Line()
    line.join("first", calm)
    gone = [line.join(name, vital) for name in "xyz"]
    line.join("a", calm)
    await asyncio.sleep(0)
    for caller in gone:
        caller.cancel()
    assert await line.all_through() == ["first", "a"]
