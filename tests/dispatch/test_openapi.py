"""Whatever is sent gets an answer that the OpenAPI document has, never a 5xx; refused, it leaves no trace."""

import asyncio
from pathlib import Path
from re import fullmatch
from typing import Any
from uuid import uuid4

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from services.dispatch.api import KEY_SHAPE
from shared.store import SqliteStore
from tests.dispatch.test_gateway import Post
from tests.store.helpers import written


def test_whatever_is_sent_gets_a_described_answer(tmp_path: Path) -> None:
    file = tmp_path / "dispatch.db"
    store = SqliteStore(str(file))
    asyncio.run(store.start())
    post = Post(store)
    incident_id = asyncio.run(post.opened())
    described = schemathesis.openapi.from_asgi("/openapi.json", post.app())
    [found] = [result.ok() for result in described.get_all_operations() if isinstance(result, Ok)]

    @given(case=found.as_strategy())
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case: Any) -> None:
        if isinstance(case.body, dict) and "incident_id" in case.body:
            case.body["incident_id"] = incident_id if case.body["incident_id"] else None
        if fullmatch(KEY_SHAPE, (case.headers or {}).get("idempotency-key", "")):
            case.headers["idempotency-key"] = uuid4().hex  # that a key is taken is no schema's business
        before, sent = written(file), len(post.broker.records)
        answer = case.call_and_validate(headers={"Authorization": "Bearer officer:a"})
        assert answer.status_code == 202 or written(file) == before
        assert len(post.broker.records) == sent + (answer.status_code == 202)

    check()
    asyncio.run(store.close())
