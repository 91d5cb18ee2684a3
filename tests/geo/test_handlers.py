"""A report comes out with a place and a desk, whatever it says; nothing is dropped."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from services.geo.handlers import Locator, lane_of
from services.geo.metrics import Outcome
from shared.contracts import ReportLocated, ReportReceived
from shared.contracts.topics import REPORTS_LOCATED, REPORTS_LOCATED_URGENT
from shared.contracts.values import GeoPoint, Priority
from shared.pack.jurisdiction import Jurisdiction
from shared.pack.load import FILE
from tests.bus.support import report, value_of
from tests.contracts.strategies import body_of
from tests.pack.packs import loaded, small

WEST, EAST = GeoPoint(lat=16.25, lon=100.5), GeoPoint(lat=16.25, lon=101.5)
BORDER = GeoPoint(lat=16.25, lon=100.999)
ELSEWHERE = GeoPoint(lat=13.75, lon=100.5)


@pytest.fixture
def locator(jurisdiction: Jurisdiction) -> Locator:
    """Geo without a bus."""
    return Locator(jurisdiction)


def count(locator: Locator, outcome: Outcome) -> float:
    """How many reports got their desk in this way."""
    return value_of(locator.metrics.located, outcome)


@pytest.mark.parametrize(
    ("category", "point", "home", "outcome"),
    [
        ("brawl", WEST, "west", Outcome.PLACED),
        ("brawl", EAST, "east", Outcome.PLACED),
        ("something_new", EAST, "east", Outcome.PLACED),
        ("medical_emergency", WEST, "hospital", Outcome.PLACED),
        ("fire", EAST, "town", Outcome.PLACED),
        ("fire", WEST, "west", Outcome.FELL_BACK),
        ("brawl", ELSEWHERE, "triage", Outcome.OUTSIDE),
        ("brawl", None, "triage", Outcome.NO_POINT),
    ],
)
def test_a_report_goes_to_the_desk_of_the_first_role_then_to_the_police_then_to_triage(
    locator: Locator, category: str, point: GeoPoint | None, home: str, outcome: Outcome
) -> None:
    assert locator.locate(report(category=category, point=point)).desk == home
    assert count(locator, outcome) == 1


def test_where_not_even_the_police_have_a_desk_a_report_goes_to_triage(tmp_path: Path) -> None:
    files = small()
    del files[FILE]["desks"][1]
    files[FILE]["units"] = []
    locator = Locator(loaded(tmp_path, files))
    assert locator.locate(report(category="brawl", point=WEST)).desk == "triage"
    assert count(locator, Outcome.NO_DESK) == 1


def test_nothing_of_the_report_is_changed(locator: Locator) -> None:
    received = report(category="brawl", point=WEST, text="ชกต่อยหน้าตลาด", priority="P2", status="exercise")
    located = locator.locate(received)
    assert {name: value for name, value in located if name in ReportReceived.model_fields} == dict(received)
    assert located.place.amphoe == "6701"


def test_the_desk_next_door_hears_of_what_is_close_to_its_border(locator: Locator) -> None:
    assert locator.locate(report(category="brawl", point=BORDER)).neighbours == ("east",)
    assert locator.locate(report(category="brawl", point=WEST)).neighbours == ()
    assert value_of(locator.metrics.near_border) == 1


def test_next_door_means_the_desk_that_would_decide_about_the_same_report(locator: Locator) -> None:
    assert locator.locate(report(category="medical_emergency", point=BORDER)).neighbours == ()
    assert locator.locate(report(category="fire", point=BORDER)).neighbours == ("town",)


def test_a_report_from_just_outside_goes_to_triage_and_is_offered_next_door(locator: Locator) -> None:
    located = locator.locate(report(category="brawl", point=GeoPoint(lat=16.25, lon=99.9999)))
    assert (located.desk, located.neighbours) == ("triage", ("west",))


def test_a_report_in_a_safety_zone_says_so(locator: Locator) -> None:
    assert locator.locate(report(point=GeoPoint(lat=16.5, lon=100.95))).place.zones == ("market",)
    assert value_of(locator.metrics.in_zones) == 1


@pytest.mark.parametrize("priority", Priority)
def test_only_a_p1_takes_the_urgent_lane(priority: Priority) -> None:
    assert (lane_of(priority) is REPORTS_LOCATED_URGENT) is (priority is Priority.P1)
    assert lane_of(priority) in (REPORTS_LOCATED, REPORTS_LOCATED_URGENT)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body_of(ReportReceived.type))
def test_every_report_that_can_be_written_gets_a_desk_of_the_pack(locator: Locator, received: Any) -> None:
    located = locator.locate(received)
    assert ReportLocated.model_validate_json(located.model_dump_json()) == located
    assert located.desk in {"triage", "west", "east", "hospital", "town"}
    assert located.report_id == received.report_id
