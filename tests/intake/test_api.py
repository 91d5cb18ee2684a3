"""The API's own behaviour: who may send, how much and how often, and what a reporter is told."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.clock import ManualClock
from tests.intake.replica import A_REPORT, BY_KEY, KEY, Replica

DEVICE = {"X-Device-Id": "device-0001"}


@pytest.fixture
async def client(replica: Replica) -> AsyncIterator[httpx.AsyncClient]:
    async with replica.client() as client:
        yield client


async def send(
    client: httpx.AsyncClient, headers: Mapping[str, str], body: dict[str, Any] = A_REPORT
) -> httpx.Response:
    """Send a report with a new idempotency key."""
    return await client.post("/v1/reports", json=body, headers={"Idempotency-Key": uuid4().hex, **headers})


async def test_a_citizen_needs_no_key_but_a_device_id(client: httpx.AsyncClient) -> None:
    assert (await send(client, DEVICE)).status_code == 202
    refused = await send(client, {})
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"


async def test_a_wrong_key_is_refused_also_beside_a_device_id(client: httpx.AsyncClient) -> None:
    for wrong in ("Bearer wrong", "Basic x", KEY):
        assert (await send(client, DEVICE | {"Authorization": wrong})).status_code == 401


async def test_an_officer_or_a_sensor_needs_a_key(client: httpx.AsyncClient) -> None:
    for kind in ("officer", "sensor"):
        body = A_REPORT | {"reporter_kind": kind, "priority": "P1"}
        assert (await send(client, DEVICE, body)).status_code == 403
        assert (await send(client, BY_KEY, body)).status_code == 202


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": ""}, "body.text"),
        ({"text": "x" * 2_001}, "body.text"),
        ({"category": "Fire!"}, "body.category"),
        ({"priority": "P9"}, "body.priority"),
        ({"point": {"lat": 91, "lon": 0}}, "body.point.lat"),
        ({"point": {"lat": "16.4", "lon": 101}}, "body.point.lat"),
        ({"point": {"lat": 16.4}}, "body.point.lon"),
        ({"reported_at": 1_700_000_000}, "body.reported_at"),
        ({"reported_at": "2026-11-23T10:00:00"}, "body.reported_at"),
        ({"reported_at": "2569-02-30T10:00:00Z"}, "body.reported_at"),
        ({"reporter": {"phone": "0" * 41}}, "body.reporter.phone"),
        ({"priorty": "P1"}, "body.priorty"),
    ],
)
async def test_a_field_that_does_not_fit_is_named(
    client: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    answer = await send(client, BY_KEY, A_REPORT | change)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_a_request_without_an_idempotency_key_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/reports", json=A_REPORT, headers=BY_KEY)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "header.idempotency-key")


async def test_a_body_that_is_too_large_is_refused(client: httpx.AsyncClient) -> None:
    answer = await send(client, BY_KEY, {"text": "x" * 70_000})
    assert answer.status_code == 413


async def test_a_device_that_asks_too_often_is_told_when_to_come_back(
    client: httpx.AsyncClient, replica: Replica
) -> None:
    answers = [await send(client, DEVICE) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429]
    assert answers[-1].headers["retry-after"] == "2"
    assert (await send(client, {"X-Device-Id": "device-0002"})).status_code == 202
    assert isinstance(replica.clock, ManualClock)
    replica.clock.advance(2)
    assert [(await send(client, DEVICE)).status_code for _ in range(2)] == [202, 429]


async def test_what_does_not_fit_counts_against_the_rate_too(client: httpx.AsyncClient) -> None:
    answers = [(await send(client, DEVICE, {"text": ""})).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]


async def test_made_up_devices_share_one_bound(client: httpx.AsyncClient) -> None:
    answers = [(await send(client, {"X-Device-Id": uuid4().hex})).status_code for _ in range(401)]
    assert (answers.count(202), answers.count(429)) == (400, 1)
    assert (await send(client, BY_KEY)).status_code == 202


async def test_a_code_that_is_none_leads_nowhere(client: httpx.AsyncClient) -> None:
    for code in ("A" * 32, "x", "é" * 40):
        assert (await client.get(f"/v1/reports/{code}")).status_code == 404
        assert (await client.delete(f"/v1/reports/{code}/personal-data")).status_code == 404


async def test_a_code_asked_too_often_is_held_back(client: httpx.AsyncClient) -> None:
    answers = [(await client.get("/v1/reports/nowhere")).status_code for _ in range(51)]
    assert answers == [404] * 50 + [429]
