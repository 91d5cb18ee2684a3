"""A report that is read straight from its bytes is the one that FastAPI would have read."""

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.intake.api import DeviceId, IdempotencyKey, Traceparent
from services.intake.ordinary import Ordinary, read, shortened
from services.intake.report import NewReport
from shared.http import api
from tests.intake.test_openapi import BODIES, KEYS

HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"Idempotency-Key", b"X-Device-Id"]), KEYS.map(lambda key: key.encode("latin-1"))
    )
    | st.tuples(st.just(b"traceparent"), st.sampled_from([b"", b"x", b"00-" + b"1" * 32])),
    max_size=4,
)
KEY = (b"Idempotency-Key", b"a-good-key")
JSON = (b"Content-Type", b"application/json")


async def both(content: bytes, headers: list[tuple[bytes, bytes]]) -> tuple[Ordinary | None, Ordinary | None]:
    """What is read by hand, and what FastAPI makes of the same request."""
    by_hand: list[Ordinary | None] = []
    by_fastapi: list[Ordinary | None] = [None]

    async def look(request: Request) -> Response | None:
        by_hand.append(await read(request))
        return None

    async def report(
        sent: NewReport,
        idempotency_key: IdempotencyKey,
        x_device_id: DeviceId = None,
        traceparent: Traceparent = None,
    ) -> None:
        by_fastapi.append(Ordinary(sent, idempotency_key, x_device_id, traceparent))

    app: FastAPI = api("test", "1")
    app.router.add_api_route("/", report, methods=["POST"], route_class_override=shortened(look))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        await client.post("/", content=content, headers=httpx.Headers([*headers, JSON]))
    return by_hand[0], by_fastapi[-1]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(BODIES, HEADERS | HEADERS.map(lambda headers: [KEY, *headers]))
@example(b'{"text":"a","text":1}', [KEY])
@example(b'{"text":1,"text":"a"}', [KEY])
@example(b'{"text":"a","point":{"lat":NaN,"lon":1}}', [KEY])
@example(b'{"text":"\\ud800"}', [KEY])
@example(b'\xef\xbb\xbf{"text":"a"}', [KEY])
async def test_what_is_read_by_hand_is_what_fastapi_reads(
    body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    by_hand, by_fastapi = await both(body, headers)
    assert by_hand in (None, by_fastapi)


@pytest.mark.parametrize(
    "headers", [[KEY], [KEY, (b"X-Device-Id", b"device-0001")], [KEY, (b"traceparent", b"x")]]
)
async def test_an_ordinary_report_is_read_by_hand(headers: list[tuple[bytes, bytes]]) -> None:
    for body in (
        '{"text":"ไฟไหม้"}',
        '{"text":"a","point":{"lat":16,"lon":101.1},"reporter":{"phone":"1"},"reported_at":"2569-11-23T10:00:00Z",'
        '"reporter_kind":"officer","priority":"P1","status":"test"}',
    ):
        by_hand, by_fastapi = await both(body.encode(), headers)
        assert by_hand is not None
        assert by_hand == by_fastapi
