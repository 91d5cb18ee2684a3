"""The same request again is the same command, whatever happened in between."""

import asyncio
from typing import Any

import httpx
import pytest

from services.dispatch.repeats import KEPT
from shared.contracts import Record
from shared.store.expiry import Expiry
from tests.dispatch.stage import NEXT, POLICE
from tests.dispatch.test_gateway import Post


def keyed(post: Post, body: Any, idempotency_key: str = "k", key: str = "officer:a") -> Any:
    """Ask under a key of one's own."""
    return post.post(body, key, **{"Idempotency-Key": idempotency_key})


def same(records: list[Record]) -> bool:
    """Whether all have the same bytes."""
    return all(record == records[0] for record in records)


async def test_the_same_request_again_is_answered_alike_and_the_desk_gets_the_same_bytes(post: Post) -> None:
    id_ = await post.opened()
    body = {"verb": "incident.update", "incident_id": id_, "args": {"note": "x"}}
    first, again = await keyed(post, body), await keyed(post, body)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert len(post.broker.records) == 2
    assert same(post.broker.records)


async def test_it_goes_to_the_desk_it_went_to_though_the_incident_has_moved_and_time_has_passed(
    post: Post,
) -> None:
    id_ = await post.opened()
    body = {"verb": "incident.update", "incident_id": id_, "args": {"note": "x"}}
    await keyed(post, body)
    post.stage.order("incident.hand_over", incident_id=id_, to_desk=NEXT)
    await post.follow()
    post.clock.advance(60)
    assert (await keyed(post, body)).json()["desk"] == POLICE
    assert same(post.broker.records)


async def test_at_once_or_one_after_the_other_makes_no_difference(post: Post) -> None:
    id_ = await post.opened()
    body = {"verb": "incident.close", "incident_id": id_}
    answers = await asyncio.gather(*(keyed(post, body) for _ in range(10)))
    assert len({answer.json()["command_id"] for answer in answers}) == 1
    assert same(post.broker.records)


async def test_one_key_for_another_body_is_refused_and_carries_out_nothing(post: Post) -> None:
    id_ = await post.opened()
    await keyed(post, {"verb": "incident.close", "incident_id": id_})
    answer = await keyed(post, {"verb": "incident.reopen", "incident_id": id_})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:ruamjai:problem:idempotency_key_reused")
    assert len(post.broker.records) == 1


async def test_a_key_is_its_callers_own_and_without_one_every_request_is_a_command(post: Post) -> None:
    id_ = await post.opened("medical_emergency", desk=POLICE)
    body = {"verb": "incident.close", "incident_id": id_}
    answers = [
        await keyed(post, body), await keyed(post, body, key="agency:ems"), await keyed(post, body, "l"),
        await post.post(body), await post.post(body),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [202] * 5
    assert len({answer.json()["command_id"] for answer in answers}) == 5


async def test_what_was_refused_is_judged_anew(post: Post) -> None:
    body = {"verb": "incident.close", "incident_id": "not-yet"}
    assert (await keyed(post, body)).status_code == 404
    id_ = await post.opened()
    assert (await keyed(post, body | {"incident_id": id_})).status_code == 202


async def test_after_the_brokers_silence_the_same_request_asks_for_the_same_command(post: Post) -> None:
    id_ = await post.opened()
    post.broker.up = False
    silence = await keyed(post, {"verb": "incident.close", "incident_id": id_})
    post.broker.up = True
    answer = await keyed(post, {"verb": "incident.close", "incident_id": id_})
    assert answer.json()["command_id"] in silence.json()["detail"]
    assert same(post.broker.records)


async def test_a_key_is_free_again_after_its_time(post: Post) -> None:
    id_ = await post.opened()
    body = {"verb": "incident.close", "incident_id": id_}
    first = await keyed(post, body)
    post.clock.advance(KEPT.total_seconds())
    assert await Expiry(post.store).sweep(post.clock.now_ms()) == 1
    assert (await keyed(post, body)).json()["command_id"] != first.json()["command_id"]


@pytest.mark.parametrize("key", ["", "k" * 65, "a key", "\x7f"])
async def test_a_key_is_one_to_64_printable_characters(post: Post, key: str) -> None:
    answer: httpx.Response = await keyed(post, {"verb": "incident.close", "incident_id": "i"}, key)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("header.idempotency-key")
