"""A dead letter is the record as it came, with whence and why beside it; how many there may be is limited."""

import base64
import json

import pytest

from shared.bus.dead_letters import Budget, Poison, dead_letter
from shared.bus.incoming import Incoming
from shared.bus.letters import headers_of, writable
from shared.bus.parking import replaces
from shared.bus.work import Outcome
from shared.contracts import Record
from shared.store import Parked
from shared.telemetry import Reason
from tests.bus.support import header, raw_record, record_of, report

POISON = Poison(Reason.BAD_BODY, "text: too long")
NOT_UTF8 = b"\xff\xfename".decode("utf-8", "surrogateescape")


def letter_of(record: Incoming, poison: Poison = POISON) -> Record:
    return dead_letter(record, "geo", poison)


def replayed(letter: Record, offset: int = 900) -> Incoming:
    """What an operator's replay of `letter` is to its group."""
    return raw_record("geo.replay", letter.key, letter.value, letter.headers, offset, letter.partition or 0)


def test_bytes_key_and_headers_stay_as_they_were() -> None:
    headers = [("ce_id", b"\xff\x00"), ("ce_id", b"twice"), ("null", None), ("ไทย", b"")]
    letter = letter_of(raw_record("reports.received", b"\xffkey", b"\x00\xffvalue", headers, 42, 3))
    assert (letter.topic, letter.partition) == ("reports.received.geo.dlq", 3)
    assert (letter.key, letter.value) == (b"\xffkey", b"\x00\xffvalue")
    assert letter.headers[: len(headers)] == headers


@pytest.mark.parametrize(("key", "value"), [(None, b"v"), (b"k", None), (None, None)])
def test_a_null_stays_a_null(key: bytes | None, value: bytes | None) -> None:
    letter = letter_of(raw_record("t", key, value))
    assert (letter.key, letter.value) == (key, value)


def test_it_says_whence_and_why() -> None:
    letter = letter_of(raw_record("t", b"k", b"v", (), 42, 3))
    said = {name: value for name, value in letter.headers if value is not None}
    assert said["dlq_reason"] == b"bad_body"
    assert said["dlq_detail"] == b"text: too long"
    assert (said["dlq_topic"], said["dlq_partition"], said["dlq_offset"]) == (b"t", b"3", b"42")
    assert said["dlq_group"] == b"geo"


def test_a_reason_of_any_length_in_any_characters_can_be_written() -> None:
    letter = letter_of(raw_record("t", b"k", b"v"), Poison(Reason.HANDLER_ERROR, "\udcff" + "ก" * 10_000))
    detail = header(letter, "dlq_detail") or b""
    assert detail.startswith(b"\\udcff")
    assert len(detail) < 10_000


def test_header_names_that_are_not_utf8_are_kept_beside_the_writable_ones() -> None:
    headers = [("plain", b"1"), (NOT_UTF8, b"\xff2"), ("null", None)]
    letter = letter_of(raw_record("t", b"k", b"v", headers))
    packed = json.loads(header(letter, "dlq_headers") or b"")
    assert [[base64.b64decode(part) for part in pair] for pair in packed] == [
        [b"plain", b"1"],
        [b"\xff\xfename", b"\xff2"],
        [b"null", b""],
    ]
    assert NOT_UTF8 not in dict(letter.headers)
    assert writable(letter.headers) == letter.headers
    restored = headers_of(raw_record("t.geo.dlq", b"k", b"v", letter.headers))
    assert [name for name, _ in restored[:3]] == ["plain", NOT_UTF8, "null"]
    assert [name for name, _ in writable(restored)[:2]] == ["plain", "null"]


def test_what_a_sender_claims_about_dead_letters_does_not_choose_where_his_poison_goes() -> None:
    claims = [("dlq_topic", b"no.such.topic"), ("dlq_offset", b"7")]
    outcome = Outcome()
    outcome.bury(raw_record("agency.a.responses", b"k", b"v", claims, 42), "geo", POISON)
    [letter] = outcome.records
    assert letter.topic == "agency.a.responses.geo.dlq"
    assert header(letter, "dlq_offset") == b"42"
    assert list(letter.headers[:2]) == claims
    assert set(outcome.dead) == {("agency.a.responses", Reason.BAD_BODY)}


def test_a_replay_that_is_poison_again_still_says_where_it_first_was() -> None:
    first = letter_of(raw_record("t", b"k", b"v", [("ce_id", b"1"), (NOT_UTF8, b"2")], 42, 3))
    outcome = Outcome()
    outcome.bury(replayed(first), "geo", Poison(Reason.HANDLER_ERROR, "still wrong"))
    [again] = outcome.records
    assert (again.topic, again.partition) == ("t.geo.dlq", 3)
    names = [name for name, _ in again.headers]
    assert len(names) == len(set(names))
    assert (header(again, "dlq_topic"), header(again, "dlq_offset")) == (b"t", b"42")
    assert header(again, "dlq_reason") == b"handler_error"
    assert header(again, "dlq_headers") == header(first, "dlq_headers")
    assert set(outcome.dead) == {("t", Reason.HANDLER_ERROR)}


def test_a_second_replay_still_stands_for_the_record_that_was_parked() -> None:
    first = letter_of(raw_record("t", b"k", b"v", [], 42, 3))
    second = letter_of(replayed(first))
    parked = Parked("geo/3", "t", 3, 42, b"k", b"v", (), 0, "bad_body")
    assert replaces(replayed(first), parked)
    assert replaces(replayed(second, 901), parked)


def test_an_event_set_aside_keeps_its_id() -> None:
    record = record_of("t", report())
    letter = letter_of(raw_record("t", record.key, record.value, record.headers))
    assert header(letter, "ce_id") == header(record, "ce_id")


def test_a_budget_is_overdrawn_by_one_more_than_its_limit() -> None:
    budget = Budget(limit=3, window=60)
    assert not budget.spend(3, now=0)
    assert budget.spend(1, now=1)


def test_what_is_older_than_the_window_is_forgiven() -> None:
    budget = Budget(limit=3, window=60)
    budget.spend(3, now=0)
    assert not budget.spend(3, now=60)
    assert budget.spend(1, now=61)


def test_a_new_window_starts_empty() -> None:
    budget = Budget(limit=3, window=60)
    assert budget.spend(4, now=0)
    budget.reset()
    assert not budget.spend(3, now=0)
