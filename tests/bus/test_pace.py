"""Few records are fetched as they come, more gather a moment, a backlog is fetched without a break."""

import pytest

from shared.bus.pace import BUSY, GATHER_SECONDS, MANY, Pace


def paced(rate: float, seconds: float, brought: int = 1) -> list[float]:
    """The pauses after fetches that bring `brought` records each, at `rate` records a second."""
    pace, fetches = Pace(), int(rate * seconds / brought)
    return [pace.pause(brought, n * brought / rate) for n in range(fetches)][fetches // 2 :]


@pytest.mark.parametrize("rate", [1, 10, BUSY * 0.9])
def test_few_records_are_not_held_up(rate: float) -> None:
    assert set(paced(rate, 60)) == {0.0}


@pytest.mark.parametrize("rate", [BUSY * 1.1, BUSY * 3])
def test_more_gather(rate: float) -> None:
    assert set(paced(rate, 5)) == {GATHER_SECONDS}


def test_a_backlog_is_fetched_without_a_break() -> None:
    assert set(paced(50_000, 1, brought=MANY)) == {0.0}


def test_when_the_stream_calms_down_records_are_not_held_up_any_more() -> None:
    pace = Pace()
    for n in range(1000):
        pace.pause(1, n / (3 * BUSY))
    assert [pace.pause(1, 10.0 + n) for n in range(20)][-1] == 0.0
