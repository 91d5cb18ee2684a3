"""Simulated people: the same for the same seed, inside the pack, and found by intake to be what they say."""

import json
from collections import Counter
from itertools import islice

import pytest
import shapely

from services.intake.draft import judge
from services.intake.report import NewReport
from shared.load.mix import APART_DEGREES, DAY, KINDS, OPEN, People, parse_mix, points_of
from shared.load.scenes import ORDINARY, URGENT, Scene
from shared.pack.jurisdiction import load_jurisdiction

SPOTS = [(16.0 + n / 100, 101.0) for n in range(50)]


def test_the_same_seed_gives_the_same_reports_and_another_gives_others() -> None:
    first, again, other = (list(islice(People(DAY, SPOTS, seed), 50)) for seed in (1, 1, 2))
    assert first == again != other


def test_the_shares_are_those_asked_for() -> None:
    found = Counter(kind for kind, _ in islice(People(parse_mix("ordinary=3,urgent=1"), SPOTS, 1), 2_000))
    assert found["repeat"] == 0
    assert 400 < found["urgent"] < 600


def test_a_repeat_is_near_an_incident_that_was_reported_and_names_the_same_place() -> None:
    people = islice(People(parse_mix("ordinary=1,repeat=9"), SPOTS, 1), OPEN)
    bodies = [json.loads(body) for _, body in people]
    spots = {tuple(body["text"].split()[-2:]): body["point"] for body in bodies}
    assert len(spots) < len(bodies) / 3
    for body in bodies:
        seen = spots[tuple(body["text"].split()[-2:])]
        assert abs(seen["lat"] - body["point"]["lat"]) <= 2.1 * APART_DEGREES


@pytest.mark.parametrize("scene", [*ORDINARY, *URGENT])
def test_intake_finds_what_is_urgent_and_only_that(scene: Scene) -> None:
    for words in scene.words:
        found = judge(NewReport(text=f"{words} ใกล้วัด 12"))
        assert found.urgent is scene.urgent
        assert found.category != "unknown"


def test_every_report_is_one_that_intake_takes() -> None:
    for _, body in islice(People(DAY, SPOTS, 1), 200):
        NewReport.model_validate_json(body)


def test_everybody_reports_from_inside_the_pack_also_near_its_border() -> None:
    tree = shapely.STRtree(list(load_jurisdiction().areas.values()))
    bodies = [json.loads(body)["point"] for _, body in islice(People(DAY, points_of(None, 4), 4), 4_000)]
    places = shapely.points([(point["lon"], point["lat"]) for point in bodies])
    assert len(set(tree.query(places, predicate="intersects")[0].tolist())) == len(bodies)
    assert points_of(None, 4) == points_of(None, 4) != points_of(None, 5)


@pytest.mark.parametrize("wrong", ["", "urgent", "urgent=-1", "calm=1", "urgent=0", "urgent=nan"])
def test_a_mix_that_makes_no_sense_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError):
        parse_mix(wrong)
    assert set(DAY) == set(KINDS)
