"""The OpenAPI document is complete: whatever is sent, the answer is one it describes, and never a 5xx."""

import asyncio
from collections.abc import Iterator
from re import fullmatch
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from services.intake.api import KEY_SHAPE
from shared.clock import ScaledClock
from shared.store import open_store
from tests.intake.replica import BY_KEY, Replica, replica_on

DEVICE = {"X-Device-Id": "device-0001"}
FAST = 1e6
"""Clock seconds per second: no rate is ever exceeded."""


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The API as schemathesis sees it; it calls the application in event loops of its own."""
    folder = tmp_path_factory.mktemp("api")
    own, keys = (open_store(f"sqlite:///{folder}/{name}.db") for name in ("intake", "keys"))
    for store in (own, keys):
        asyncio.run(store.start())
    app = replica_on(own, keys, ScaledClock(FAST)).app
    yield schemathesis.openapi.from_asgi("/openapi.json", app)
    for store in (own, keys):
        asyncio.run(store.close())


@pytest.mark.parametrize("headers", [BY_KEY, DEVICE], ids=["key", "device"])
def test_whatever_is_sent_gets_a_described_answer(described: Any, headers: dict[str, str]) -> None:
    for found in described.get_all_operations():

        @given(case=found.ok().as_strategy())
        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
        def check(case: Any) -> None:
            if fullmatch(KEY_SHAPE, (case.headers or {}).get("idempotency-key", "")):
                case.headers["idempotency-key"] = uuid4().hex  # that a key is taken is no schema's business
            case.call_and_validate(headers=headers)

        check()


def test_every_error_of_an_operation_is_a_problem(replica: Replica) -> None:
    document = replica.app.openapi()
    assert set(document["paths"]) == {
        "/v1/reports",
        "/v1/reports/{tracking_code}",
        "/v1/reports/{tracking_code}/personal-data",
    }
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"]
    responses = document["paths"]["/v1/reports"]["post"]["responses"]
    assert set(responses) == {"202", "400", "401", "403", "408", "413", "422", "429", "503"}
