"""What is near is found without looking at everything, and nothing near is missed."""

from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.geometry import BLOCK_METRES, metres
from services.dispatch.nearby import Nearby
from services.dispatch.state import Desk
from services.dispatch.told import Told
from shared.bus.testing import NOON
from shared.contracts.values import GeoPoint, Place, Priority
from tests.dispatch.stage import TOWN, Stage

POINTS = st.builds(GeoPoint, lat=st.floats(-90, 90), lon=st.floats(-180, 180))
STEPS = st.tuples(st.floats(-0.006, 0.006), st.floats(-1, 1))


def told(report_id: str, point: GeoPoint | None) -> Told:
    given = {"report_id": report_id, "received_at": NOON, "category": "theft", "priority": Priority.P3}
    return Told.model_validate({**given, "text": "", "point": point, "place": Place()})


def moved(point: GeoPoint, step: tuple[float, float]) -> GeoPoint:
    """A point that is often some hundred metres away, also across the antimeridian and close to the poles."""
    lat = max(-90.0, min(90.0, point.lat + step[0]))
    return GeoPoint(lat=lat, lon=(point.lon + step[1] * 0.02 / (90.1 - abs(lat)) * 60 + 180) % 360 - 180)


@given(POINTS, STEPS)
def test_what_is_within_500_metres_is_found_anywhere_on_earth(
    point: GeoPoint, step: tuple[float, float]
) -> None:
    other = moved(point, step)
    nearby = Nearby()
    nearby.retell("i", (), (told("r", other),))
    assert metres(point, other) > BLOCK_METRES or nearby.around(point) == {"i"}


def test_what_is_ten_kilometres_away_is_not_looked_at() -> None:
    nearby = Nearby()
    nearby.retell("i", (), (told("r", GeoPoint(lat=TOWN.lat + 0.1, lon=TOWN.lon)),))
    nearby.retell("j", (), (told("s", GeoPoint(lat=TOWN.lat, lon=TOWN.lon + 0.1)),))
    assert nearby.around(TOWN) == set()


def test_an_index_that_has_lost_everything_is_as_one_that_never_had_anything() -> None:
    nearby, both = Nearby(), (told("r", TOWN), told("s", None))
    nearby.retell("i", (), both)
    nearby.retell("i", both, both[:1])
    assert nearby.holders == {"r": "i"}
    nearby.retell("i", both[:1], ())
    assert nearby == Nearby()


def test_a_report_that_has_gone_on_to_another_incident_stays_there_when_the_first_forgets_it() -> None:
    nearby = Nearby()
    nearby.retell("i", (), (told("r", TOWN),))
    nearby.retell("j", (), (told("r", TOWN),))
    nearby.retell("i", (told("r", TOWN),), ())
    assert nearby.holders == {"r": "j"}
    assert nearby.around(TOWN) == {"j"}


def test_a_desk_that_is_read_from_its_snapshot_finds_what_it_found_before() -> None:
    stage = Stage()
    for number in range(20):
        stage.report("theft", f"ถูกขโมย {number}", north=number * 300.0, report_id=f"r{number}")
    desk = stage.desk()
    again = Desk.model_validate_json(desk.model_dump_json())
    assert again.nearby.holders == desk.nearby.holders != {}
    assert again.nearby.around(TOWN) == desk.nearby.around(TOWN)
    assert again.nearby == desk.nearby
    assert again == desk
