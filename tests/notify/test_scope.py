"""Who is told of an incident, and in one word why not."""

from datetime import timedelta
from typing import Any

import pytest

from services.notify.book import Book
from shared.bus.testing import NOON
from shared.contracts import Status
from shared.contracts.agency import Presence
from shared.contracts.agreement import AgreementEvent
from shared.contracts.delivery import DeliveryOutcome
from shared.contracts.values import Place
from tests.notify.support import (
    DAY,
    HOSPITAL,
    PLACE,
    RESCUE,
    Stage,
    agreement,
    opened,
    recorded,
    shared,
    terms,
    updated,
    withdrawn,
)

SECOND = timedelta(seconds=1)
NEXT = {"version": 2, "valid_from": NOON, "valid_until": NOON + DAY}


@pytest.mark.parametrize(
    ("known", "given", "outcome"),
    [
        (agreement(), {}, "shared"),
        (agreement(areas=("6701",)), {}, "shared"),
        (agreement(areas=("670101",)), {}, "shared"),
        (agreement(areas=("670102", "65")), {}, None),
        (agreement(areas=("670101",)), {"place": Place(amphoe="6701", province="67")}, None),
        (agreement(areas=("67",)), {"place": Place(amphoe="6701")}, "shared"),
        (agreement(), {"place": Place()}, None),
        (agreement(categories=("fire",)), {}, None),
        (agreement(), {"category": "fire"}, None),
        (agreement(valid_from=NOON), {}, "shared"),
        (agreement(valid_from=NOON + SECOND), {}, "not_in_effect"),
        (agreement(valid_until=NOON + SECOND), {}, "shared"),
        (agreement(valid_until=NOON), {}, "expired"),
        (withdrawn(agreement(), NOON + SECOND), {}, "shared"),
        (withdrawn(agreement(), NOON), {}, "withdrawn"),
        (agreement(RESCUE, terms(), terms(**NEXT, categories=("fire",))), {}, "changed"),
        (agreement(RESCUE, terms(categories=("fire",)), terms(**NEXT)), {}, "shared"),
    ],
)
def test_an_agreement_shows_its_categories_in_its_areas_while_it_is_in_effect(
    known: AgreementEvent, given: dict[str, Any], outcome: str | None
) -> None:
    told = Stage(known).hear(opened(**given))
    assert bool(shared(told)) == (outcome == "shared")
    deliveries = recorded(told)
    if outcome is None:
        assert deliveries == []
    else:
        [delivery] = deliveries
        assert delivery.agreement_id == known.agreement_id
        assert (delivery.reason or "shared") == outcome


@pytest.mark.parametrize("status", [Status.EXERCISE, Status.TEST])
def test_what_is_not_actual_reaches_no_agency_and_the_ledger_says_so(status: Status) -> None:
    told = Stage(agreement()).hear(opened().model_copy(update={"status": status}))
    assert shared(told) == []
    [delivery] = recorded(told)
    assert (delivery.outcome, delivery.reason) == (DeliveryOutcome.WITHHELD, status.value)


def test_the_ledger_has_one_entry_for_everybody_in_scope_and_proves_what_went_out() -> None:
    stage = Stage(agreement(), agreement(HOSPITAL, valid_until=NOON), agreement("far", areas=("10",)))
    told = stage.hear(opened())
    rescue, hospital = sorted(recorded(told), key=lambda delivery: delivery.recipient, reverse=True)
    assert (rescue.recipient, rescue.outcome) == (RESCUE, DeliveryOutcome.DELIVERED)
    assert (hospital.recipient, hospital.outcome) == (HOSPITAL, DeliveryOutcome.WITHHELD)
    assert rescue.proof is not None
    assert hospital.proof is None
    assert len(stage.counted) == 2


def test_of_two_agreements_the_one_that_shows_more_counts() -> None:
    narrow, wide = agreement(id_="mou-b"), agreement(id_="mou-a", fields=("lifecycle", "category", "text"))
    [told] = shared(Stage(narrow, wide).hear(opened()))
    assert told.agreement_id == "mou-a"


def test_an_incident_that_leaves_the_area_is_said_to_have_left_and_nothing_more_is_told() -> None:
    stage = Stage(agreement())
    assert [s.presence for s in shared(stage.hear(opened()))] == [Presence.ENTERED]
    [left] = shared(stage.hear(updated(2, "place", place=Place(tambon="650101"))))
    assert (left.presence, left.view, left.seq, left.happened) == (Presence.LEFT, None, 2, "scope.left")
    assert stage.hear(updated(3, "text", text="...", place=Place(tambon="650101"))) == []


def test_an_incident_that_comes_back_enters_again_with_the_numbers_going_on() -> None:
    stage = Stage(agreement())
    for event in (opened(), updated(2, "category", category="fire")):
        stage.hear(event)
    [again] = shared(stage.hear(updated(3, "category")))
    assert (again.presence, again.seq) == (Presence.ENTERED, 3)


def test_looking_up_an_incident_does_not_touch_agreements_it_does_not_concern() -> None:
    others = [agreement(f"agency-{n}", areas=("10", "6702"), categories=("fire",)) for n in range(500)]
    book = Book([agreement(), *others])
    assert list(book.concerned("road_accident", PLACE.tambon or "")) == [RESCUE]
    assert book.concerned("fire", "670101") == {}
