"""The checker on streams made by hand: what is right is green, and each wrong has its own name."""

import json
from collections.abc import Iterable
from typing import Any

from tests.crash.checker import Checker, Sighting, Verdict, sighting
from tests.crash.ledger import Ledger, Purpose, event_id

KEY, DESK = "i1", "d1"


def sent(*purposes: Purpose) -> Ledger:
    """A ledger of acknowledged reports of one key and lane."""
    ledger = Ledger()
    for purpose in purposes:
        number, _ = ledger.write(1, urgent=False, purpose=purpose)
        ledger.acknowledge(number, partition=0)
    return ledger


def record(part: str, ce_id: str, body: dict[str, Any] | bytes, partition: int = 0) -> Sighting:
    value = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = [("ce_id", ce_id.encode()), ("dlq_offset", b"7")]
    return sighting(part, f"t.{part}", partition, KEY.encode(), value, headers, 0.0)


def located(number: int, **changes: Any) -> Sighting:
    body = {"incident": KEY, "desk": DESK, "urgent": False, "number": number, "sequence": number + 1}
    return record("located", f"located-{number}", {**body, **changes})


def changed(number: int, seq: int, part: str = "incidents", ce_id: str = "", **changes: Any) -> Sighting:
    body = {**located(number).body, "seq": seq, "reviewed": False, **changes}
    return record(part, ce_id or f"{part}-{number}-{body['reviewed']}", body)


def whole(number: int, seq: int, **changes: Any) -> list[Sighting]:
    """Everything that one report brings about."""
    return [located(number), changed(number, seq, **changes), changed(number, seq, "delivered", **changes)]


def judged(ledger: Ledger, seen: Iterable[Sighting], parked: Iterable[int] = ()) -> Verdict:
    checker = Checker(ledger)
    for one in seen:
        checker.see(one)
    return checker.verdict(set(parked))


def test_a_stream_without_faults_is_green() -> None:
    ledger = sent(Purpose.PLAIN, Purpose.PLAIN)
    verdict = judged(ledger, [*whole(0, 1), *whole(1, 2)])
    assert verdict.green
    assert verdict.counts["processed"] == 2


def test_repeats_with_the_same_id_and_bytes_are_counted_and_no_error() -> None:
    verdict = judged(sent(Purpose.PLAIN), [*whole(0, 1), *whole(0, 1)])
    assert verdict.green
    assert verdict.counts["repeats"] == 3


def test_a_report_without_any_effect_is_lost_and_unbalances_the_books() -> None:
    assert judged(sent(Purpose.PLAIN, Purpose.PLAIN), whole(0, 1)).red == {"lost": 1, "balance": 1}


def test_a_report_nobody_acknowledged_may_stay_away_or_arrive() -> None:
    ledger = sent(Purpose.PLAIN)
    ledger.write(1, urgent=False, purpose=Purpose.PLAIN)
    assert judged(ledger, whole(0, 1)).green
    assert judged(ledger, [*whole(0, 1), *whole(1, 2)]).green


def test_a_decision_that_did_not_come_out_at_the_end_is_undelivered() -> None:
    assert judged(sent(Purpose.PLAIN), whole(0, 1)[:2]).red == {"undelivered": 1}


def test_a_second_id_for_the_same_report_is_a_duplicate_effect() -> None:
    again = changed(0, 1, ce_id="another")
    assert judged(sent(Purpose.PLAIN), [*whole(0, 1), again]).red == {"duplicate effects": 1}


def test_other_bytes_under_the_same_id_are_found() -> None:
    again = changed(0, 2)
    assert judged(sent(Purpose.PLAIN), [*whole(0, 1), again]).red == {"different bytes": 1}


def test_one_id_for_two_effects_is_ambiguous() -> None:
    ledger = sent(Purpose.PLAIN, Purpose.PLAIN)
    seen = [*whole(0, 1), located(1), changed(1, 2, ce_id="incidents-0-False"), changed(1, 2, "delivered")]
    assert judged(ledger, seen).red == {"ambiguous ids": 1}


def test_first_occurrences_out_of_order_are_found_though_nothing_is_missing() -> None:
    ledger = sent(Purpose.PLAIN, Purpose.PLAIN)
    swapped = [located(1), located(0), *whole(0, 1)[1:], *whole(1, 2)[1:]]
    assert judged(ledger, swapped).red == {"order violations": 1}


def test_a_repeat_out_of_order_is_no_violation() -> None:
    ledger = sent(Purpose.PLAIN, Purpose.PLAIN)
    assert judged(ledger, [*whole(0, 1), *whole(1, 2), *whole(0, 1)]).green


def test_a_number_left_out_is_a_gap_and_a_number_given_twice_is_told() -> None:
    ledger = sent(Purpose.PLAIN, Purpose.PLAIN)
    assert judged(ledger, [*whole(0, 1), *whole(1, 3)]).red == {"seq gaps": 2}
    assert judged(ledger, [*whole(0, 1), *whole(1, 1)]).red == {"seq twice": 2}


def test_a_key_on_two_partitions_has_strayed() -> None:
    ledger = sent(Purpose.PLAIN)
    stray = record("located", "located-0", located(0).body, partition=1)
    assert judged(ledger, [*whole(0, 1), stray]).red == {"strayed keys": 1}


def test_a_timer_that_did_not_fire_is_missing_and_its_review_is_delivered_like_all() -> None:
    ledger = sent(Purpose.REMIND)
    assert judged(ledger, whole(0, 1)).red == {"timers missing": 1}
    review = [changed(0, 2, part, reviewed=True) for part in ("incidents", "delivered")]
    assert judged(ledger, [*whole(0, 1), review[0]]).red == {"undelivered": 1}
    assert judged(ledger, [*whole(0, 1), *review]).green


def test_poison_counts_as_dead_lettered_even_when_its_body_is_no_json() -> None:
    ledger = sent(Purpose.BAD_BODY, Purpose.BAD_AT_RELAY)
    letters = [record("dead", event_id(0), b"{"), record("dead", event_id(1), {"number": 1})]
    verdict = judged(ledger, letters)
    assert verdict.green
    assert verdict.counts["dead-lettered"] == 2


def test_what_the_store_holds_back_is_parked_and_poison_that_is_parked_too_counts_once() -> None:
    ledger = sent(Purpose.OUTCAST, Purpose.BAD_AT_DESK, Purpose.OUTCAST)
    letter = record("dead", "derived", {"number": 1})
    verdict = judged(ledger, [*whole(0, 1), located(1), located(2), letter], parked=[1, 2])
    assert verdict.green
    assert (verdict.counts["dead-lettered"], verdict.counts["parked"]) == (1, 1)


def test_a_report_both_processed_and_parked_unbalances_the_books() -> None:
    assert judged(sent(Purpose.OUTCAST), whole(0, 1), parked=[0]).red == {"balance": 1}


def test_an_effect_of_a_report_never_sent_is_told() -> None:
    assert judged(Ledger(), [located(0)]).red == {"never sent": 1}
