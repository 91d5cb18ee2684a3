"""Whatever is sent gets an answer that the OpenAPI document has, never a 5xx; refused, it leaves no trace."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from shared.clock import ScaledClock
from shared.store import open_store
from tests.notify.support import opened
from tests.notify.test_disclosure import GRANTS, Office, received
from tests.store.helpers import written

FAST = 1e6
"""Clock seconds per second: no rate is ever exceeded."""
JUDGED = {200, 403, 404}
"""What is answered after the ledger has it."""


@pytest.mark.parametrize("known", [True, False], ids=["a known report", "anything"])
def test_whatever_is_sent_gets_a_described_answer(tmp_path: Path, known: bool) -> None:
    file = tmp_path / "notify.db"
    store = open_store(f"sqlite:///{file}")
    asyncio.run(store.start())
    office = Office(store, ScaledClock(FAST))
    office.agree(GRANTS)
    asyncio.run(office.note(received(), opened()))
    described = schemathesis.openapi.from_asgi("/openapi.json", office.app)
    [found] = [result.ok() for result in described.get_all_operations() if isinstance(result, Ok)]

    @given(case=found.as_strategy())
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case: Any) -> None:
        if known and isinstance(case.body, dict) and {"incident_id", "report_id"} <= {*case.body}:
            case.body |= {"incident_id": "inc-1", "report_id": "rep-1"}
        before, entries = written(file), len(office.ledger.entries)
        answer = case.call_and_validate(headers={"Authorization": "Bearer rescue-key"})
        assert written(file) == before
        assert len(office.ledger.entries) == entries + (answer.status_code in JUDGED)

    check()
    asyncio.run(store.close())
