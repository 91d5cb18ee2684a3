"""How the three clocks keep time."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import Clock, ManualClock, ScaledClock, SystemClock, clock_from
from shared.settings import load_settings

NOON = datetime(2025, 3, 28, 12, tzinfo=UTC)
REAL = {"KAFKA_URL": "a:1"}


async def asleep(clock: ManualClock, tasks: int) -> None:
    """Returns when `tasks` tasks sleep on the clock; the test's own time-out is the deadline."""
    while clock.sleeping < tasks:
        await asyncio.sleep(0)


@pytest.mark.parametrize("clock", [SystemClock(), ScaledClock(60, NOON), ManualClock()])
def test_every_clock_tells_one_instant_in_both_forms(clock: Clock) -> None:
    before, milliseconds, after = clock.now(), clock.now_ms(), clock.now()
    assert before.utcoffset() == timedelta()
    assert int(before.timestamp() * 1000) <= milliseconds <= after.timestamp() * 1000


def test_by_default_time_is_real() -> None:
    assert isinstance(clock_from(load_settings("geo", REAL)), SystemClock)


def test_a_clock_with_a_rate_runs_that_many_times_as_fast() -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    shown = ScaledClock(60, start=NOON, anchor=hour_ago).now() - NOON
    assert timedelta(hours=60) <= shown < timedelta(hours=61)


def test_clocks_of_two_processes_with_one_anchor_agree() -> None:
    environ = REAL | {"CLOCK_RATE": "3600", "CLOCK_ANCHOR": "2026-11-01T00:00:00Z"}
    first, second = (clock_from(load_settings(name, environ)) for name in ("geo", "dispatch"))
    earlier, between, later = first.now(), second.now(), first.now()
    assert earlier <= between <= later


def test_a_clock_may_start_elsewhere_at_real_speed() -> None:
    clock = clock_from(load_settings("geo", REAL | {"CLOCK_START": NOON.isoformat()}))
    assert NOON <= clock.now() < NOON + timedelta(minutes=1)


async def test_sleep_on_a_fast_clock_lasts_the_clock_s_own_seconds() -> None:
    clock = ScaledClock(1000)
    before = clock.monotonic()
    await clock.sleep(10)
    assert 10 <= clock.monotonic() - before < 5000


async def test_a_manual_clock_stands_still_until_it_is_advanced() -> None:
    clock = ManualClock(NOON)
    sleeper = asyncio.create_task(clock.sleep(5))
    await asleep(clock, 1)
    clock.advance(4.999)
    await asyncio.sleep(0)
    assert not sleeper.done()
    clock.advance(0.001)
    await sleeper
    assert (clock.now(), clock.monotonic(), clock.sleeping) == (NOON + timedelta(seconds=5), 5, 0)


async def test_a_manual_clock_wakes_sleepers_in_the_order_they_are_due() -> None:
    clock, woken = ManualClock(), list[float]()

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.create_task(sleep(seconds)) for seconds in (3, 1, 2)]
    await asleep(clock, 3)
    clock.advance(10)
    await asyncio.gather(*tasks)
    assert woken == [1, 2, 3]


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = ManualClock()
    sleeper = asyncio.create_task(clock.sleep(1))
    await asleep(clock, 1)
    sleeper.cancel()
    await asyncio.gather(sleeper, return_exceptions=True)
    clock.advance(1)
    assert clock.sleeping == 0


async def test_sleeping_for_no_time_only_gives_way() -> None:
    await ManualClock().sleep(0)
