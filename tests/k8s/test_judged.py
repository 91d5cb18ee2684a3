"""The bad day excuses what time decides, and nothing else."""

import json
from typing import Any

import pytest
import yaml

from deploy.k8s.play import manifest
from tests.k8s.__main__ import judged

GOOD = {"lost": 0, "leaked": 0, "refused": 0, "dead_letters": 0, "repeated": 40}


def said(*problems: str, **figures: Any) -> list[str]:
    return [*(f"WRONG  {problem}" for problem in problems), json.dumps(GOOD | figures)]


def test_a_day_without_losses_is_well() -> None:
    assert list(judged(said(), 0)) == []


def test_a_unit_that_was_passed_over_is_excused() -> None:
    assert (
        list(judged(said("escalated : 7 instead of 6", "agency_events ems: 31 instead of (28, 30)"), 1)) == []
    )


@pytest.mark.parametrize("figure", ["lost", "leaked", "refused", "dead_letters"])
def test_nothing_excuses(figure: str) -> None:
    assert list(judged(said(**{figure: 1}), 1)) == [f"{figure}: 1"]


def test_a_gap_is_told() -> None:
    assert list(judged(said("incidents: incident x is numbered [1, 3]"), 1)) != []


def test_a_day_on_which_nobody_insisted_proves_nothing() -> None:
    assert list(judged(said(repeated=0), 0)) == ["nobody insisted"]


def test_a_day_that_ended_early_is_told() -> None:
    assert "did not come to its end" in next(judged(["Traceback"], 1))


def test_the_pod_that_plays_gets_its_tag_and_its_arguments() -> None:
    container = yaml.safe_load(manifest("1.2.3", "--insist"))["spec"]["containers"][0]
    assert container["image"] == "ruamjai/demo:1.2.3"
    assert container["args"][-1] == "--insist"
