"""Whatever is sent to the gateway's API, the answer is one its description has, and never a 5xx."""

import asyncio
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from shared.store import SqliteStore
from tests.dispatch.test_gateway import Post


def test_whatever_is_sent_gets_a_described_answer(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "dispatch.db"))
    asyncio.run(store.start())
    described = schemathesis.openapi.from_asgi("/openapi.json", Post(store).app())
    [found] = [result.ok() for result in described.get_all_operations() if isinstance(result, Ok)]

    @given(case=found.as_strategy())
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": "Bearer officer:a"})

    check()
    asyncio.run(store.close())
