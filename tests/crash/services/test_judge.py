"""The judge on streams made by hand: what is right is green, and each wrong has its own name."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.crash.services.canaries import Canaries
from tests.crash.services.judge import Judge, Outside
from tests.crash.services.seen import POISON, Seen, seen
from tests.crash.services.signed import Signed, Terms

AT, LATER = "2026-11-23T10:00:00Z", "2026-11-23T10:00:01Z"
SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
AGENCY, INCIDENT, REPORT = "ems", "i1", "r1"
AREA = {"province": "67", "amphoe": "6701", "tambon": "670101"}


def record(topic: str, kind: str, id_: str, body: dict[str, Any] | bytes, at: str = AT, **more: str) -> Seen:
    value = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"ce_id": id_, "ce_type": f"th.ruamjai.{kind}.v1", "ce_subject": REPORT, "ce_time": at, **more}
    return seen(
        topic, 0, INCIDENT.encode(), value, [(k.replace("__", "-"), v.encode()) for k, v in headers.items()]
    )


def received(report: str = REPORT) -> Seen:
    return record("reports.received", "report.received", report, {"report_id": report})


def located(report: str = REPORT, id_: str = "l1") -> Seen:
    return record("reports.located", "report.located", id_, {"report_id": report})


def changed(seq: int = 1, id_: str = "e1", incident: str = INCIDENT, **view: Any) -> Seen:
    links = [{"report_id": REPORT, "suggested": False}]
    whole = {
        "lifecycle": "received",
        "category": "fire",
        "place": AREA,
        "reports": links,
        "tasks": [],
        **view,
    }
    body = {"incident_id": incident, "seq": seq, "view": whole, "status": whole.pop("status", "actual")}
    return record("incidents", "incident.opened", id_, body)


def shared(seq: int = 1, id_: str = "s1", at: str = AT, version: int = 1, **view: Any) -> Seen:
    body = {
        "incident_id": INCIDENT,
        "seq": seq,
        "presence": "entered",
        "view": {"category": "fire", **view},
        "agreement_version": version,
    }
    return record(f"agency.{AGENCY}.incidents", "incident.shared", id_, body, at)


def entry(event: str = "e1", proof: str | None = "s1", id_: str = "d1", **changes: Any) -> Seen:
    delivery = {"agency": AGENCY, "channel": "topic", "outcome": "delivered", "proof": proof, **changes}
    body = {"event_id": event, "decided_at": AT, "deliveries": [delivery]}
    return record("deliveries", "delivery.recorded", id_, body)


def hooked(event: str = "s1") -> Seen:
    proof = f"status=204;webhook-id={event}"
    return entry(event, proof, f"hook-{event}", channel="webhook")


def unit(task: str | None, at: str, id_: str) -> Seen:
    body = {"unit_id": "u1", "changed_at": at, "task_id": task}
    return record("incidents", "unit.status_changed", id_, body)


def outside(**changes: Any) -> Outside:
    return Outside(**{"hooked": AGENCY, "generous": "rescue", "accepted": {REPORT}, **changes})


WHOLE = [received(), located(), changed(), shared(), entry(), hooked()]
BODY = json.dumps({"id": "s1"}).encode()


def judged(
    records: list[Seen], known: Outside | None = None, canaries: Canaries | None = None
) -> dict[str, int]:
    """Return what is red; that nobody was granted a text is of no interest here."""
    signed = Signed([Terms(AGENCY, 1, ("fire",), ("6701",), ("category", "lifecycle"), SINCE, UNTIL)])
    known = known or outside()
    if not known.bodies and any(r.topic.startswith("agency.") for r in records):
        known.bodies = [BODY]
    judge = Judge(known, signed, canaries or Canaries())
    for one in records:
        judge.see(one)
    red = judge.verdict().red
    red.pop("granted and not seen", None)
    return red


def test_what_is_whole_is_green_and_may_repeat() -> None:
    assert judged(WHOLE) == {}
    assert judged([*WHOLE, *WHOLE]) == {}


@pytest.mark.parametrize("known", [outside(parked={REPORT}), outside()])
def test_a_report_in_no_incident_is_lost_unless_it_is_parked(known: Outside) -> None:
    red = judged([received(), located()], known)
    assert red == ({} if known.parked else {"lost": 1, "balance": 1})


def test_a_report_both_parked_and_processed_unbalances_the_books() -> None:
    assert judged(WHOLE, outside(parked={REPORT})) == {"balance": 1}


def test_a_dead_letter_that_nobody_sent_to_be_one_is_told() -> None:
    letter = record("reports.received.geo.dlq", "report.received", REPORT, b"", dlq_offset="1")
    assert judged([received(), letter]) == {"dead without cause": 1}


def test_poison_must_come_to_every_dead_letter_topic_that_it_was_sent_to() -> None:
    known = outside(poison={"7": ("a.geo.dlq", "a.notify.dlq")})
    letter = seen("a.geo.dlq", 0, b"k", b"{", [(POISON, b"7")])
    assert judged([*WHOLE, letter], known) == {"poison unaccounted": 1}
    assert judged([*WHOLE, letter, letter._replace(topic="a.notify.dlq")], known) == {}


def test_one_id_with_two_contents_is_told() -> None:
    assert judged([*WHOLE, changed(lifecycle="closed")]) == {"different bytes": 1}


def test_a_report_that_became_two_events_or_two_incidents_is_told() -> None:
    assert judged([*WHOLE, located(id_="l2")]) == {"duplicate effects": 1}
    other = [changed(id_="e2", incident="i2"), entry("e2", "s2", "d2"), shared(2, "s2"), hooked("s2")]
    known = outside(bodies=[BODY, json.dumps({"id": "s2"}).encode()])
    assert judged([*WHOLE, *other], known) == {"report in two incidents": 1}


def test_a_report_that_its_sender_knows_nothing_of_is_told() -> None:
    assert judged([*WHOLE, received("r2")]) == {"never accepted": 1}


def test_gaps_repeats_and_disorder_of_numbers_are_told_on_every_stream() -> None:
    assert judged([*WHOLE, changed(3, "e3"), entry("e3", None, "d3", outcome="withheld",
        reason="nothing_visible")]) == {"seq gaps": 1}  # fmt: skip
    again = [shared(1, "s2"), entry("x", "s2", "d2"), hooked("s2")]
    known = outside(bodies=[BODY, json.dumps({"id": "s2"}).encode()])
    assert judged([*WHOLE, *again], known) == {"seq twice": 1}


def test_a_unit_on_a_second_task_is_told_and_one_that_was_free_between_is_not() -> None:
    assert judged([*WHOLE, unit("t1", AT, "u1"), unit("t2", LATER, "u2")]) == {"unit on two incidents": 1}
    assert judged([*WHOLE, unit("t1", AT, "u1"), unit("t2", LATER, "u2"), unit(None, LATER, "u3")]) == {}


def test_a_unit_that_two_open_incidents_show_is_told() -> None:
    tasks = [{"state": "assigned", "units": ["u1"]}, {"state": "on_scene", "units": ["u1"]}]
    assert judged([*WHOLE[:2], changed(tasks=tasks), *WHOLE[3:]]) == {"unit on two incidents": 1}


def test_an_open_incident_whose_desk_does_not_answer_has_no_owner() -> None:
    known = outside(asked={"c1"}, owners={INCIDENT: "c1"})
    assert judged(WHOLE, known) == {"command without outcome": 1, "open incident without owner": 1}
    answer = record("incidents", "command.refused", "o1", {"command_id": "c1"})
    assert judged([*WHOLE, answer], known) == {"open incident without owner": 1}
    answer = record("incidents", "command.accepted", "o1", {"command_id": "c1"})
    assert judged([*WHOLE, answer], known) == {}


def test_an_event_that_the_ledger_does_not_have_is_told() -> None:
    assert judged([received(), located(), changed()]) == {"ledger missing": 1}


def test_what_left_and_is_not_in_the_ledger_or_is_there_and_did_not_leave_is_told() -> None:
    assert judged([*WHOLE[:4], hooked()]) == {"ledger missing": 1, "ledger is not what left": 1}
    assert judged([received(), located(), changed(), entry()]) == {"ledger is not what left": 1}


def test_a_delivery_in_two_entries_is_told() -> None:
    assert judged([*WHOLE, entry(id_="d2")])["ledger twice"] >= 1


def test_what_is_withheld_needs_a_reason_that_holds() -> None:
    kept = entry(proof=None, outcome="withheld", reason="exercise")
    assert judged([received(), located(), changed(), kept]) == {"withheld without cause": 1}
    assert judged([received(), located(), changed(status="exercise"), kept]) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        shared(text="more than was granted"),
        shared(version=2),
        shared(at="2027-06-01T00:00:00Z"),
    ],
)
def test_what_the_agreement_in_force_did_not_grant_is_told(wrong: Seen) -> None:
    assert judged([*WHOLE[:3], wrong, *WHOLE[4:]]) == {"beyond the agreement": 1}


def test_an_event_out_of_scope_that_was_shared_is_told() -> None:
    red = judged([*WHOLE[:2], changed(category="theft"), *WHOLE[3:]])
    assert red == {"beyond the agreement": 1}


def test_a_webhook_that_did_not_get_what_the_topic_has_is_told() -> None:
    assert judged(WHOLE, outside(bodies=[json.dumps({"id": "s9"}).encode()])) == {
        "webhook is not the topic": 2
    }


@pytest.mark.parametrize("encode", [bytes, b64encode, lambda raw: b64encode(b"x" + raw)])
def test_a_canary_is_found_in_the_open_and_in_base64(encode: Any) -> None:
    canaries = Canaries()
    planted = canaries.plant(7)
    for secret in (planted.mark, planted.phone, planted.citizen):
        canaries.look("a log", [b"a " + encode(f" {secret} ".encode()) + b" z"])
    assert canaries.found == {"a log": 3}
    canaries.look("a log", [b"0897719999 1679980999999 zqcanary000008"])
    canaries.look("a log", [b"x" * skip + encode(b"2026-11-24T03:42:15.089771Z") for skip in range(4)])
    assert canaries.found == {"a log": 3}
