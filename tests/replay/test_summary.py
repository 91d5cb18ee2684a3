"""The summary says what was lost, and when the speed was too high to mean anything."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.local.demo.tally import Tally
from deploy.local.demo.witness import Seen
from deploy.local.replay.summary import Outcome
from tests.replay.support import NOON, a_line, a_script, no_answer


def told(report: str, at: float, clock: float, *, suggested: bool = False, seq: int = 1) -> Seen:
    """An incident with one report, read `at` real seconds, `clock` seconds after noon."""
    link = {"report_id": report, "suggested": suggested}
    body = {"incident_id": report, "seq": seq, "view": {"tasks": [], "reports": [link]}}
    time = (NOON + timedelta(seconds=clock)).isoformat()
    headers = {"ce_id": f"{report}-{seq}", "ce_type": "th.ruamjai.incident.opened.v1", "ce_time": time}
    return Seen("incidents", json.dumps(body).encode(), headers, at)


def an_outcome(folder: Path, *seen: Seen, rate: float = 60.0) -> Outcome:
    """Two reports, ten real seconds apart, at sixty times the speed."""
    script, tally = a_script(folder, a_line(0), a_line(10 * rate)), Tally()
    done = no_answer(script)
    for number, report in enumerate(("r1", "r2"), 1):
        done.accept(number, report)
    for record in seen:
        tally.hear(record)
    return Outcome(script, done, tally, {"r1": 100.0, "r2": 110.0}, ["ems"], 60.0)


def test_a_quick_system_on_the_same_clock_is_honest(tmp_path: Path) -> None:
    outcome = an_outcome(tmp_path, told("r1", 100.02, 1), told("r2", 110.03, 601))
    figures = outcome.figures()
    assert list(outcome.warnings()) == []
    assert (figures["lost"], figures["honest"], figures["ok"]) == (0, True, True)
    assert figures["p99_played_s"] == pytest.approx(1.8, abs=0.02)


def test_a_delay_above_five_seconds_of_the_played_time_is_not_honest(tmp_path: Path) -> None:
    outcome = an_outcome(tmp_path, told("r1", 100.1, 1), told("r2", 110.1, 601))
    [warning] = outcome.warnings()
    assert "6.0 s of the time that is played" in warning
    assert "--speed 50" in warning
    assert not outcome.figures()["honest"]


def test_services_whose_clocks_run_at_another_rate_are_not_honest(tmp_path: Path) -> None:
    outcome = an_outcome(tmp_path, told("r1", 100.02, 1), told("r2", 110.02, 11))
    [warning] = outcome.warnings()
    assert "run at 1, the file is played at 60: start every service with CLOCK_RATE=60" in warning


def test_a_report_that_is_only_offered_to_an_incident_is_lost(tmp_path: Path) -> None:
    outcome = an_outcome(tmp_path, told("r1", 100.02, 1), told("r2", 110.02, 601, suggested=True))
    assert (outcome.lost, outcome.figures()["ok"]) == ({"r2"}, False)


def test_a_record_that_repeats_counts_once(tmp_path: Path) -> None:
    outcome = an_outcome(tmp_path, told("r1", 100.02, 1), told("r1", 100.5, 1), told("r2", 110.02, 601))
    assert outcome.figures()["incidents"] == 2
