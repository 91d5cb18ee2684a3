"""The clients the kernel works with, as far as a setting changes them."""

import pytest

from shared.bus.clients import fetch_wait_ms


@pytest.mark.parametrize(("rate", "milliseconds"), [(0.5, 50), (1.0, 50), (5.0, 10), (130.0, 5)])
def test_a_broker_holds_a_fetch_back_for_less_when_the_clock_runs_fast(
    rate: float, milliseconds: int
) -> None:
    assert fetch_wait_ms(rate) == milliseconds


@pytest.mark.parametrize(("rate", "milliseconds"), [(1.0, 250), (5.0, 50), (130.0, 5)])
def test_what_may_gather_is_held_back_for_longer(rate: float, milliseconds: int) -> None:
    assert fetch_wait_ms(rate, gather=0.25) == milliseconds
