"""The store away, hanging, or losing its reply at any step: a quick 503, and the retry yields one report."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.intake.accept import MOST_AT_ONCE, Request
from services.intake.report import NewReport
from shared.contracts import decode
from shared.store import StoreUnavailable
from tests.intake.faulty import Fault, FaultyStore
from tests.intake.replica import A_REPORT, Replica, replica_on, stores

STEPS = ["keys", "accepted", "outbox", "expiry", "tracked"]


class Faulty:
    """A replica whose stores fail as told."""

    def __init__(self, own: FaultyStore, keys: FaultyStore) -> None:
        self.own, self.keys = own, keys
        self.replica: Replica = replica_on(own, keys)

    def fail(self, kind: str, *faults: Fault) -> None:
        """The next inserts of `kind` meet these."""
        (self.keys if kind == "keys" else self.own).fail(kind, *faults)


@pytest.fixture
async def faulty(tmp_path: Path) -> AsyncIterator[Faulty]:
    async with stores(tmp_path) as (own, keys):
        yield Faulty(FaultyStore(own), FaultyStore(keys))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fault", [Fault.UNREACHED, Fault.REPLY_LOST])
async def test_whatever_fails_the_retry_yields_one_report(faulty: Faulty, step: str, fault: Fault) -> None:
    replica = faulty.replica
    faulty.fail(step, fault)
    refused = await replica.post(key="key-0001")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert refused.json()["type"] == "urn:ruamjai:problem:unavailable"
    answer = await replica.post(key="key-0001")
    assert answer.status_code == 202
    assert (await replica.post(key="key-0001")).json() == answer.json()
    [waiting] = await replica.waiting()
    assert waiting.id == answer.json()["report_id"]
    event = decode(waiting.record().value, waiting.record().headers)
    assert await replica.keyring.unseal(event.data.sealed)
    assert (await replica.get(answer.json()["tracking_code"])).json()["status"] == "received"


@pytest.mark.parametrize("step", STEPS)
async def test_a_store_that_hangs_is_not_waited_for(faulty: Faulty, step: str) -> None:
    faulty.fail(step, Fault.HANGS)
    started = time.monotonic()
    assert (await faulty.replica.post(key="key-0001")).status_code == 503
    assert time.monotonic() - started < 2


async def test_a_fault_fails_all_that_shared_the_write_and_each_may_retry(faulty: Faulty) -> None:
    replica, keys = faulty.replica, [f"key-{n:04}" for n in range(20)]
    faulty.fail("accepted", *[Fault.REPLY_LOST] * 20)
    refused = await asyncio.gather(*(replica.post(key=key) for key in keys))
    assert {answer.status_code for answer in refused} == {503}
    faulty.own.faults["accepted"].clear()
    answers = await asyncio.gather(*(replica.post(key=key) for key in keys))
    assert {answer.status_code for answer in answers} == {202}
    assert len(await replica.waiting()) == 20


async def test_requests_that_gather_while_the_store_hangs_are_bounded(faulty: Faulty) -> None:
    faulty.fail("keys", Fault.HANGS)
    sent = NewReport.model_validate(A_REPORT)
    asked = (Request("key:test", f"key-{n:04}", sent) for n in range(MOST_AT_ONCE + 5))
    answers = await asyncio.gather(*map(faulty.replica.acceptance.accept, asked), return_exceptions=True)
    kinds = Counter(type(answer) for answer in answers)
    assert kinds == {TimeoutError: MOST_AT_ONCE, StoreUnavailable: 5}
