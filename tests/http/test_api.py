"""What every API does before its own code: bounds, problem details, and no value repeated in an error."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from shared.http import Problem, api
from shared.http.api import Bounded


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    count: int = 0


def application(answers: list[int] | None = None) -> FastAPI:
    """An API with one operation, and one that fails."""
    app = api("test", "1", max_body=100, on_answer=(answers if answers is not None else []).append)

    @app.post("/things")
    async def make(thing: Thing) -> Thing:
        if thing.name == "busy":
            raise Problem(503, "busy", "later", headers={"Retry-After": "2"})
        return thing

    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application()), base_url="http://t") as client:
        yield client


async def test_a_body_within_the_bound_is_read_whole(client: httpx.AsyncClient) -> None:
    answer = await client.post("/things", json={"name": "x" * 60})
    assert (answer.status_code, answer.json()["name"]) == (200, "x" * 60)


async def test_a_body_above_the_bound_is_refused_also_without_a_length(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b'{"name":'

    for content in (b" " * 101, chunks()):
        answer = await client.post("/things", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:ruamjai:problem:too_large"


@pytest.mark.parametrize("said", [{}, {"Content-Type": "text/plain"}, {"Content-Type": "application/jsonp"}])
async def test_a_body_that_is_not_said_to_be_json_is_refused(
    client: httpx.AsyncClient, said: dict[str, str]
) -> None:
    answer = await client.post("/things", content=b'{"name":"x"}', headers=said)
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:ruamjai:problem:not_json")
    with_charset = {"Content-Type": "Application/JSON; charset=utf-8"}
    answer = await client.post("/things", content=b'{"name":"x"}', headers=with_charset)
    assert answer.status_code == 200


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    sent: list[Any] = []

    async def never() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    await Bounded(application(), 10, seconds=0.01)({"type": "http", "method": "POST"}, never, send)
    assert sent[0]["status"] == 408


async def test_what_is_not_json_is_malformed(client: httpx.AsyncClient) -> None:
    for content in (b"{", b"\xff", b'{"count":' + b"9" * 80 + b"x"):
        answer = await client.post("/things", content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["status"]) == (400, 400)


async def test_an_error_names_the_field_and_never_the_value(client: httpx.AsyncClient) -> None:
    answer = await client.post("/things", json={"name": "ok", "count": "canary"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.count"
    assert "canary" not in answer.text


async def test_the_name_of_an_unknown_field_is_not_repeated_when_it_may_be_data(
    client: httpx.AsyncClient,
) -> None:
    json = {"Content-Type": "application/json"}
    answer = await client.post("/things", content=b'{"name":"a","tel 0812345678":1}', headers=json)
    assert answer.json()["errors"] == [{"field": "body.?", "reason": "Extra inputs are not permitted"}]


async def test_a_problem_keeps_its_headers_and_unknown_paths_are_problems(client: httpx.AsyncClient) -> None:
    answer = await client.post("/things", json={"name": "busy"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    for answer in (await client.get("/nothing"), await client.get("/things")):
        assert answer.headers["content-type"] == "application/problem+json"


async def test_every_answer_is_counted_by_its_status() -> None:
    answers: list[int] = []
    transport = httpx.ASGITransport(application(answers))
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        await client.post("/things", json={"name": "a"})
        await client.post("/things", content=b" " * 101)
        await client.get("/nothing")
    assert answers == [200, 413, 404]
