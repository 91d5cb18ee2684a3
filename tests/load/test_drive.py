"""The open loop: a server that is slow delays nobody's request, and the waiting counts."""

import asyncio
import json

import pytest

from shared.load.drive import Driver, arrivals
from shared.load.figures import Figures, spread
from shared.load.mix import DAY, People
from shared.load.watch import trace_of
from tests.load.standin import intake

SPOTS = [(16.4, 101.15)]


async def taken(_: int) -> str:
    return "202 Accepted"


def test_arrivals_come_at_the_rate_asked_for_and_never_after_the_end() -> None:
    found = list(arrivals(100, 20, seed=1))
    assert found == sorted(found)
    assert found[-1] < 20
    assert 1_850 < len(found) < 2_150


async def test_a_slow_server_delays_no_request_and_its_waiting_counts() -> None:
    release = asyncio.Event()

    async def slow(_: int) -> str:
        await release.wait()
        return "202 Accepted"

    async with intake(slow) as (url, _):
        driver = Driver(url, People(DAY, SPOTS, 1), connections=1)
        driving = asyncio.create_task(driver.drive(200, 0.5, seed=1))
        while not driver.outcome.ended:
            await asyncio.sleep(0.01)
        offered = driver.outcome.offered
        release.set()
        outcome = await driving
    assert offered == outcome.offered == len(outcome.accepted) > 50
    first = min(outcome.accepted.values(), key=lambda sent: sent.due)
    assert first.answered - first.due > 0.4


async def test_each_request_has_a_key_a_trace_and_a_device_of_its_own() -> None:
    async with intake(taken) as (url, heads):
        await Driver(url, People(DAY, SPOTS, 1), connections=4).drive(100, 0.3, seed=1)
    for name in ("Idempotency-Key", "traceparent", "X-Device-Id"):
        values = [head.partition(f"{name}: ")[2].split("\r\n")[0] for head in heads]
        assert len(set(values)) == len(heads)


async def test_keys_take_turns() -> None:
    async with intake(taken) as (url, heads):
        await Driver(url, People(DAY, SPOTS, 1), 1, ["one", "two"]).drive(100, 0.3, seed=1)
    assert all(("Bearer one" in head) == (n % 2 == 0) for n, head in enumerate(heads))


async def test_what_is_refused_is_counted_by_its_status_and_not_as_accepted() -> None:
    async def grudging(number: int) -> str:
        return "429 Too Many Requests" if number % 2 else "202 Accepted"

    async with intake(grudging) as (url, _):
        outcome = await Driver(url, People(DAY, SPOTS, 1), 2).drive(100, 0.3, seed=1)
    assert outcome.errors["429"] > 0
    assert outcome.errors["429"] + len(outcome.accepted) == outcome.offered


async def test_a_server_that_is_not_there_is_an_error_by_name() -> None:
    outcome = await Driver("http://127.0.0.1:9", People(DAY, SPOTS, 1), 2).drive(50, 0.2, seed=1)
    assert set(outcome.errors) == {"ConnectionRefusedError"}
    assert not outcome.accepted


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://there", "http://"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        Driver(url, People(DAY, SPOTS, 1), 1)


async def test_figures_count_from_being_due_and_name_what_is_missing() -> None:
    async with intake(taken) as (url, _):
        outcome = await Driver(url, People(DAY, SPOTS, 1), 4).drive(100, 0.5, seed=1)
    traces = list(outcome.accepted)
    seen = {trace: outcome.accepted[trace].due + 0.1 for trace in traces[1:]}
    agency = Figures(100, outcome, {"ems": seen}).document()["agencies"]["ems"]
    assert agency["missing"] == 1
    assert agency["all_ms"]["p50"] == agency["all_ms"]["p99.9"] == 100.0
    assert json.loads(Figures(100, outcome, {"ems": seen}).lines()[-1])["agencies"]["ems"] == agency


def test_percentiles_are_of_what_was_measured() -> None:
    found = spread(n / 1000 for n in range(1, 1001))
    assert found == {"n": 1000, "p50": 501.0, "p99": 991.0, "p99.9": 1000.0, "max": 1000.0}
    assert spread([]) == {"n": 0}


def test_a_record_is_recognised_by_its_trace() -> None:
    trace = b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-00"
    assert trace_of([("ce_id", b"x"), ("traceparent", trace)]) == "a" * 32
    assert trace_of([("traceparent", None)]) == ""
