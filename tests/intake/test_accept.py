"""A report is accepted once per key, durable before it is answered, with nothing personal on its way out."""

import asyncio
import json
import logging
import re
from pathlib import Path
from uuid import UUID

import pytest

from services.intake.accept import ACCEPTED, KEY_KEPT, TRACKED
from shared.clock import ManualClock
from shared.contracts import ReportReceived, decode
from shared.contracts.values import Priority
from shared.store.expiry import Expiry
from tests.bus.support import value_of
from tests.intake.replica import A_REPORT, Replica, replica_on, stores

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PERSON = {"name": "สมชาย ใจดี", "phone": "081-234-5678", "line_id": "somchai99", "address": "99/1 ในเมือง"}


def received(record: object) -> ReportReceived:
    """The body of a record that waits."""
    found = decode(record.record().value, record.record().headers)  # type: ignore[attr-defined]
    assert isinstance(found.data, ReportReceived)
    return found.data


async def test_an_accepted_report_waits_for_the_bus_under_its_id(replica: Replica) -> None:
    answer = await replica.post(A_REPORT | {"point": {"lat": 16.4, "lon": 101.1}}, traceparent=TRACE)
    assert answer.status_code == 202
    told = answer.json()
    assert re.fullmatch("[A-Z2-7]{32}", told["tracking_code"])
    assert answer.headers["location"] == told["status_url"] == f"/v1/reports/{told['tracking_code']}"
    [waiting] = await replica.waiting()
    event = decode(waiting.record().value, waiting.record().headers)
    assert (event.id, event.subject, event.traceparent) == (told["report_id"], told["report_id"], TRACE)
    assert UUID(event.id).version == 7
    assert (waiting.topic, event.data.category) == ("reports.received", "road_accident")
    assert event.data.point is not None


async def test_a_life_threatening_report_takes_the_urgent_lane(replica: Replica) -> None:
    await replica.post({"text": "ไฟทางดับ"})
    await replica.post({"text": "แม่หมดสติ ไม่หายใจ"})
    assert [(w.topic, received(w).priority) for w in await replica.waiting()] == [
        ("reports.received.urgent", Priority.P1),
        ("reports.received", Priority.P4),
    ]


async def test_what_is_personal_is_sealed_and_nowhere_else(replica: Replica, tmp_path: Path) -> None:
    text = "นาย ก. เลข 1103700000003 โทร ๐๘๑-๒๓๔-๕๖๗๘ ถูกรถชน"
    await replica.post({"text": text, "reporter": PERSON})
    [waiting] = await replica.waiting()
    report = received(waiting)
    assert report.text == "นาย ก. เลข *** โทร *** ถูกรถชน"
    assert report.sealed is not None
    assert json.loads(await replica.keyring.unseal(report.sealed)) == {"text": text, **PERSON}
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("intake.db*"))
    for secret in (*PERSON.values(), "1103700000003", "0812345678", "๐๘๑-๒๓๔-๕๖๗๘"):
        assert secret.encode() not in stored


async def test_what_is_personal_is_in_no_log_and_no_error(
    replica: Replica, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sent = {"text": "โทร 0812345678", "reporter": PERSON}
    await replica.post(sent)
    refused = [
        await replica.post(sent | wrong)
        for wrong in ({"status": PERSON["name"]}, {"reporter": PERSON["name"]})
    ]
    assert {answer.status_code for answer in refused} == {422}
    said = caplog.text + "".join(answer.text for answer in refused)
    for secret in (*PERSON.values(), "0812345678"):
        assert secret not in said


async def test_the_same_key_and_body_get_the_same_answer(replica: Replica) -> None:
    first, second = await replica.post(key="key-0001"), await replica.post(key="key-0001")
    assert first.json() == second.json()
    assert second.status_code == 202
    assert len(await replica.waiting()) == 1
    assert value_of(replica.metrics.repeated) == 1


async def test_a_repeat_after_the_report_went_out_does_not_send_it_again(replica: Replica) -> None:
    await replica.post(key="key-0001")
    page = await replica.outbox.page(replica.outbox.me, "1")
    await replica.outbox.forget(place for place, _ in page)
    assert (await replica.post(key="key-0001")).status_code == 202
    assert await replica.waiting() == []


async def test_the_same_key_with_another_body_is_refused_with_a_reason(replica: Replica) -> None:
    await replica.post(key="key-0001")
    answer = await replica.post({"text": "อย่างอื่น"}, key="key-0001")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:ruamjai:problem:idempotency_key_reused")
    assert len(await replica.waiting()) == 1


async def test_a_key_belongs_to_its_caller(replica: Replica) -> None:
    async with replica.client() as client:
        codes = set()
        for device in ("device-one", "device-two"):
            headers = {"Idempotency-Key": "key-0001", "X-Device-Id": device}
            answer = await client.post("/v1/reports", json=A_REPORT, headers=headers)
            codes.add(answer.json()["tracking_code"])
    assert len(codes) == 2


async def test_of_simultaneous_twins_one_works_and_the_others_get_its_answer(replica: Replica) -> None:
    answers = await asyncio.gather(*(replica.post(key="key-0001") for _ in range(20)))
    assert len({answer.text for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {202}
    assert len(await replica.waiting()) == 1


async def test_a_simultaneous_twin_with_another_body_is_refused(replica: Replica) -> None:
    one, two = await asyncio.gather(
        replica.post(key="key-0001"), replica.post({"text": "อื่น"}, key="key-0001")
    )
    assert sorted((one.status_code, two.status_code)) == [202, 422]


async def test_twins_at_two_replicas_become_one_report(tmp_path: Path) -> None:
    async with stores(tmp_path) as (own, keys):
        replicas = [replica_on(own, keys), replica_on(own, keys)]
        for n in range(20):
            answers = await asyncio.gather(*(replica.post(key=f"key-{n:04}") for replica in replicas))
            assert len({answer.text for answer in answers}) == 1
        records = [record for replica in replicas for record in await replica.waiting()]
        assert len(records) == len({record.id for record in records}) == 20


async def test_a_key_is_known_after_a_restart(tmp_path: Path) -> None:
    async with stores(tmp_path) as (own, keys):
        first = await replica_on(own, keys).post(key="key-0001")
    async with stores(tmp_path) as (own, keys):
        again = replica_on(own, keys)
        assert (await again.post(key="key-0001")).json() == first.json()
        assert (await again.post({"text": "อื่น"}, key="key-0001")).status_code == 422
        assert await again.waiting() == []


async def test_a_key_is_free_again_after_three_days(replica: Replica) -> None:
    assert isinstance(replica.clock, ManualClock)
    first = await replica.post(key="key-0001")
    replica.clock.advance(KEY_KEPT.total_seconds() - 1)
    assert await Expiry(replica.store).sweep(replica.clock.now_ms()) == 0
    replica.clock.advance(1)
    assert await Expiry(replica.store).sweep(replica.clock.now_ms()) == 1
    second = await replica.post({"text": "อื่น"}, key="key-0001")
    assert second.status_code == 202
    assert second.json()["tracking_code"] != first.json()["tracking_code"]
    assert (await replica.get(first.json()["tracking_code"])).status_code == 200


async def test_nothing_is_kept_for_ever(replica: Replica) -> None:
    assert isinstance(replica.clock, ManualClock)
    await replica.post()
    replica.clock.advance(91 * 86_400)
    await Expiry(replica.store).sweep(replica.clock.now_ms())
    for kind in (ACCEPTED, TRACKED, "expiry"):
        assert await replica.store.documents(kind).scan() == []


async def test_requests_that_arrive_together_share_writes(replica: Replica, tmp_path: Path) -> None:
    groups: list[int] = []
    documents = replica.store.documents

    class Watched:
        def __init__(self, kind: str) -> None:
            self.kind, self.inner = kind, documents(kind)

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

        async def insert(self, found: list[object]) -> list[bool]:
            if self.kind == ACCEPTED:
                groups.append(len(found))
            return await self.inner.insert(found)  # type: ignore[arg-type]

    class Store:
        def __getattr__(self, name: str) -> object:
            return getattr(replica.store, name)

        def documents(self, kind: str) -> Watched:
            return Watched(kind)

    async with stores(tmp_path / "more") as (_, keys):
        watched = replica_on(Store(), keys)  # type: ignore[arg-type]
        answers = await asyncio.gather(*(watched.post() for _ in range(100)))
    assert {answer.status_code for answer in answers} == {202}
    assert sum(groups) == 100
    assert len(groups) < 50


@pytest.mark.parametrize("trace", ["nonsense", f"00-{'0' * 32}-b7ad6b7169203331-01", TRACE.upper()])
async def test_a_trace_that_is_none_is_replaced_by_a_new_one(replica: Replica, trace: str) -> None:
    answer = await replica.post(traceparent=trace)
    [waiting] = await replica.waiting()
    assert waiting.headers["traceparent"][3:35] == UUID(answer.json()["report_id"]).hex


async def test_a_device_set_to_the_buddhist_era_is_understood(replica: Replica) -> None:
    await replica.post(A_REPORT | {"reported_at": "2567-02-29T10:00:00+07:00", "status": "exercise"})
    [waiting] = await replica.waiting()
    report = received(waiting)
    assert report.reported_at is not None
    assert report.reported_at.isoformat() == "2024-02-29T10:00:00+07:00"
    assert report.status == "exercise"


async def test_a_wrong_clock_does_not_cost_the_report(replica: Replica) -> None:
    for year in ("1970", "9999"):
        answer = await replica.post(A_REPORT | {"reported_at": f"{year}-12-31T23:59:59Z"})
        assert answer.status_code == 202
    assert [received(waiting).reported_at for waiting in await replica.waiting()] == [None, None]
