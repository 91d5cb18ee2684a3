"""The judge of the demonstration: silent when all is in order, and red for each thing that must not be."""

import json
import sqlite3
import zlib
from base64 import b64encode
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo import MongoClient

from deploy.local.demo.credentials import made
from deploy.local.demo.day import load_day
from deploy.local.demo.evidence import Evidence, content, databases
from deploy.local.demo.judge import forms, judge
from deploy.local.demo.witness import Seen
from deploy.local.demo.world import World
from shared.store import Document, open_store
from tests.demo.made import AFTER, GUARD, SECRET, evidence, incident, record, shared
from tests.store.helpers import a_commit


def problems(found: Evidence) -> str:
    return "\n".join(judge(found).problems)


def told(*events: Seen) -> Evidence:
    """The evidence with other events for the guards, on their topic and at their webhook."""
    good = evidence()
    return replace(good, partners={GUARD: list(events)}, hooked=[e.id for e in events])


def test_nothing_is_wrong_with_a_day_that_went_well() -> None:
    verdict = judge(evidence())
    assert verdict.problems == []
    assert verdict.summary["p50_ms"] == 500
    assert (verdict.summary["lost"], verdict.summary["leaked"]) == (0, 0)


def test_a_report_that_was_accepted_and_never_became_part_of_an_incident_is_lost() -> None:
    good = evidence()
    first, second, *rest = good.records
    without = replace(good, records=[first, incident(2, "incident.linked", "r1"), *rest])
    verdict = judge(without)
    assert verdict.summary["lost"] == 1
    assert "lost: report r2" in verdict.problems
    assert second.id == "i2"


@pytest.mark.parametrize("where", ["topic", "webhook", "file", "trace"])
def test_a_phone_number_in_the_open_is_a_leak(where: str) -> None:
    good = evidence()
    spoilt = {
        "topic": replace(good, records=[*good.records, record("incidents", "x.y", "d2", {"n": SECRET})]),
        "webhook": replace(good, bodies=[SECRET.encode()]),
        "file": replace(good, files={"intake.log": f"sent by {SECRET}".encode()}),
        "trace": replace(good, traces=[f"sent by {SECRET}".encode()]),
    }[where]  # fmt: skip
    verdict = judge(spoilt)
    assert verdict.summary["leaked"] == 1
    assert "leaked: personal data of report r1" in verdict.problems[0]


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_a_secret_is_found_within_base64_wherever_it_begins(before: bytes, after: bytes) -> None:
    text = b64encode(before + SECRET.encode() + after)
    assert any(form in text for form in forms(SECRET))


PACKED = zlib.compress(SECRET.encode() * 9)


@pytest.mark.parametrize(
    "cell", [PACKED, json.dumps({"body": b64encode(PACKED).decode()})], ids=["bytes", "text"]
)
def test_a_secret_is_found_in_a_packed_cell_of_a_store(tmp_path: Path, cell: bytes | str) -> None:
    with closing(sqlite3.connect(tmp_path / "s.db")) as store:
        store.execute("CREATE TABLE log (body)")
        store.execute("INSERT INTO log VALUES (?)", (cell,))
        store.commit()
    assert SECRET.encode() in content(tmp_path / "s.db")


@pytest.mark.real_mongo
async def test_a_secret_is_found_in_a_database_on_a_server(mongo_url: str) -> None:
    world = World(Path(), "", mongo_url, made(load_day()))
    store = open_store(world.store("intake"))
    await store.start()
    await store.append([a_commit("intake/0", 1, PACKED)])
    await store.documents("things").insert([Document("a", b'{"name": "somebody"}')])
    await store.close()
    found = dict(databases(world))["database intake"]
    with MongoClient[dict[str, object]](mongo_url) as client:
        client.drop_database(world.database("intake"))
    assert SECRET.encode() in found
    assert b"somebody" in found


def test_a_field_that_was_not_granted_is_a_leak() -> None:
    assert "text is not granted" in problems(told(shared(1, text="x")))


def test_an_event_after_the_agreement_expired_is_a_leak_unless_it_says_goodbye() -> None:
    assert "the agreement had expired" in problems(told(shared(1, AFTER)))
    goodbye = record("agency.guard.incidents", "incident.shared", "s2",
                     {"incident_id": "inc", "seq": 2, "view": None}, AFTER)  # fmt: skip
    assert problems(told(shared(1), goodbye)) == ""


def test_an_exercise_that_reaches_a_partner_is_a_leak() -> None:
    good = evidence()
    drill = [replace(r, value=r.value.replace(b'"actual"', b'"exercise"')) for r in good.records]
    assert "it is no real incident" in problems(replace(good, records=drill))


def test_a_gap_in_the_numbers_is_seen_and_a_repeat_is_none() -> None:
    assert "guard: incident inc is numbered [1, 3]" in problems(told(shared(1), shared(3)))
    good = evidence()
    assert problems(replace(good, records=[*good.records, good.records[0]])) == ""


def test_a_webhook_that_missed_an_event_is_seen() -> None:
    assert "the webhook took 0 events" in problems(replace(evidence(), hooked=[]))


def test_a_figure_that_was_not_counted_by_hand_is_off() -> None:
    assert "reports_sent : 4 instead of 3" in problems(replace(evidence(), reports_sent=4))


def test_a_mistake_that_was_taken_is_off() -> None:
    assert "no text: answered 202 instead of 422" in problems(
        replace(evidence(), rejected=[("no text", 422, 202)])
    )


def test_a_dead_letter_is_off() -> None:
    good = evidence()
    letter = record("incidents.notify.dlq", "incident.opened", "i9", {})
    assert "dead_letters : 1 instead of 0" in problems(replace(good, records=[*good.records, letter]))


def test_a_trouble_on_the_way_makes_the_day_red() -> None:
    assert problems(replace(evidence(), troubles=["not within 5 s"])) == "not within 5 s"
