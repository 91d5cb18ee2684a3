"""Whatever is sent gets an answer that the OpenAPI document has, never a 5xx; refused, it leaves no trace."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from re import fullmatch
from typing import Any
from uuid import uuid4

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.intake.ordinary import KEY_SHAPE
from shared.clock import ScaledClock
from shared.store import open_store
from tests.intake.replica import A_REPORT, BY_KEY, Replica, replica_on, stores
from tests.store.helpers import written

DEVICE = {"X-Device-Id": "device-0001"}
FAST = 1e6
"""Clock seconds per second: no rate is ever exceeded."""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)
POINT = {"lat": 16.4, "lon": 101.1}
WHOLE = A_REPORT | {
    "point": POINT,
    "reporter": {"name": "ก", "phone": "1"},
    "reported_at": "2569-11-23T10:00:00Z",
}
NEARLY = st.fixed_dictionaries(
    {name: st.just(value) | JSON for name, value in WHOLE.items()},
    optional={"priority": st.just("P1") | JSON, "status": st.just("test") | JSON, "category": JSON},
)
BODIES = st.binary(max_size=60) | (JSON | NEARLY).map(
    lambda body: json.dumps(body, ensure_ascii=False).encode(errors="surrogatepass")
)
KEYS = st.just("a-good-key") | st.text(
    st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=200
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Where the stores are."""
    folder = tmp_path_factory.mktemp("api")
    return folder / "intake.db", folder / "keys.db"


@pytest.fixture(scope="module")
def described(files: tuple[Path, Path]) -> Iterator[Any]:
    """The API as schemathesis sees it; it calls the application in event loops of its own."""
    own, keys = (open_store(f"sqlite:///{file}") for file in files)
    for store in (own, keys):
        asyncio.run(store.start())
    app = replica_on(own, keys, ScaledClock(FAST)).app
    yield schemathesis.openapi.from_asgi("/openapi.json", app)
    for store in (own, keys):
        asyncio.run(store.close())


@pytest.mark.parametrize("headers", [BY_KEY, DEVICE], ids=["key", "device"])
def test_whatever_is_sent_gets_a_described_answer(
    described: Any, files: tuple[Path, Path], headers: dict[str, str]
) -> None:
    for found in described.get_all_operations():

        @given(case=found.ok().as_strategy())
        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
        def check(case: Any) -> None:
            if fullmatch(KEY_SHAPE, (case.headers or {}).get("idempotency-key", "")):
                case.headers["idempotency-key"] = uuid4().hex  # that a key is taken is no schema's business
            before = written(*files)
            if case.call_and_validate(headers=headers).status_code >= 400:
                assert written(*files) == before

        check()


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=BODIES, key=KEYS)
async def test_a_report_is_taken_whole_or_leaves_no_trace(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, key: str
) -> None:
    folder = tmp_path_factory.mktemp("intake")
    async with stores(folder) as (own, keys):
        replica, files = replica_on(own, keys), (folder / "intake.db", folder / "keys.db")
        told = {**BY_KEY, "Idempotency-Key": key, "Content-Type": "application/json"}
        headers = httpx.Headers(told, encoding="latin-1")
        before = written(*files)
        async with replica.client() as client:
            answers = [await client.post("/v1/reports", content=body, headers=headers) for _ in range(2)]
        status = answers[0].status_code
        assert status in {202, 400, 422}
        assert answers[1].json() == answers[0].json()
        assert len(await replica.waiting()) == (status == 202)
        assert status == 202 or written(*files) == before


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
    assert set(responses) == {"202", "400", "401", "403", "408", "413", "415", "422", "429", "503"}
