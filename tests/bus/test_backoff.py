"""Waits grow, stay below their cap, differ between replicas, and start over after a success."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from shared.bus.backoff import Backoff, delays


@given(st.floats(0.001, 1), st.floats(1, 60))
def test_every_wait_lies_between_half_its_bound_and_its_bound(first: float, cap: float) -> None:
    bound = first
    for delay in islice(delays(first, cap), 20):
        assert bound / 2 <= delay <= bound <= cap
        bound = min(cap, bound * 2)


def test_two_replicas_do_not_wait_in_step() -> None:
    assert list(islice(delays(), 10)) != list(islice(delays(), 10))


async def test_after_a_success_the_first_wait_is_short_again() -> None:
    backoff = Backoff(first=0.001, cap=60)
    for _ in range(5):
        await backoff.wait()
    backoff.reset()
    assert next(backoff._delays) <= 0.001
