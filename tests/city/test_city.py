"""The day on a few made calls: the pack is sound, the file is played as it is, the judge is right."""

import csv
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from deploy.local.replay.script import read_script
from shared.contracts.values import Priority
from shared.pack.jurisdiction import load_jurisdiction
from tests.city.__main__ import NO_INPUT, main, usual_day
from tests.city.calls import Incident, on_day, read_calls
from tests.city.city import area_of, make_pack
from tests.city.fleet import recorded, steps
from tests.city.judging import Course, Day, Story, linking
from tests.city.reports import reports_of, write_reports
from tests.city.triage import priority_of

MADE = Path(__file__).with_name("calls.csv")


@pytest.fixture(scope="module")
def calls() -> list[Incident]:
    return read_calls(MADE)


def test_the_rows_of_a_call_are_one_incident_with_the_units_that_went(calls: list[Incident]) -> None:
    fire = next(call for call in calls if call.kind == "Structure Fire")
    assert [sent.unit for sent in fire.sent] == ["E01", "T01", "M01"]
    assert (fire.received.isoformat(), fire.lat) == ("2020-04-19T09:00:00-07:00", 37.79)


def test_a_day_is_one_of_the_city_and_the_last_but_one_is_played(calls: list[Incident]) -> None:
    assert usual_day(calls) == date(2020, 4, 19)
    assert {call.received.day for call in on_day(calls, date(2020, 4, 20))} == {20}


def test_the_pack_is_sound_and_every_call_is_in_an_area_of_it(calls: list[Incident], tmp_path: Path) -> None:
    pack = make_pack(calls, calls, tmp_path / "pack")
    found = load_jurisdiction(tmp_path / "pack")
    assert set(found.areas) == {area_of("B01"), area_of("B02")}
    assert [r.role for r in pack.response("fire", Priority.P1)] == ["engine", "medic", "truck"]
    engine = next(unit for unit in pack.units if unit.id == "engine-E02")
    assert engine.desk == "engine-0602"


def test_each_incident_has_its_own_call_and_some_have_others(calls: list[Incident], tmp_path: Path) -> None:
    told = reports_of(calls, seed=1, share=1.0)
    assert sum(report.first for report in told) == len(calls) < len(told)
    assert [report.body for report in told] == [report.body for report in reports_of(calls, 1, 1.0)]
    write_reports(told, tmp_path / "day.jsonl")
    script = read_script(tmp_path / "day.jsonl")
    assert script.bad == ()
    assert [line.at for line in script.lines] == [report.at for report in told]


def test_without_other_callers_every_incident_has_one_report(calls: list[Incident]) -> None:
    assert len(reports_of(calls, seed=1, share=0.0)) == len(calls)


def test_a_unit_says_what_the_city_recorded_when_it_did(calls: list[Incident]) -> None:
    fire = next(call for call in calls if call.kind == "Structure Fire")
    engine = recorded(fire, "engine")
    assert list(steps(engine)) == [
        (5.0, "task.acknowledge"),
        (60.0, "task.en_route"),
        (300.0, "task.on_scene"),
        (1800.0, "task.complete"),
    ]
    assert recorded(fire, "chief") is None
    assert [verb for _, verb in steps(None)] == ["task.acknowledge", "task.complete"]


def test_the_judge_counts_pairs_and_the_incidents_that_were_swallowed(calls: list[Incident]) -> None:
    one, two, three = reports_of(calls[:3], 1, 0.0)
    again = replace(one, first=False)
    right = linking([[one, again, again], [two], [three]])
    assert (right.false_merges, right.f1) == (0, 1.0)
    merged = linking([[one, again, two], [again], [three]])
    assert (merged.false_merges, merged.incidents) == (1, 3)
    assert merged.precision == pytest.approx(1 / 3)
    assert merged.recall == pytest.approx(1 / 3)


@pytest.mark.parametrize(("priority", "sent"), [("P2", True), ("P1", False)])
def test_a_danger_to_life_that_is_not_treated_as_one_is_suppressed(
    calls: list[Incident], priority: str, sent: bool
) -> None:
    danger = next(call for call in calls if priority_of(call) is Priority.P1)
    [told] = reports_of([danger], 1, 0.0)
    later = danger.received + timedelta(seconds=9)
    course = Course(danger.received, priority, {"r1"}, later if sent else None)
    assert len(list(Day(Story({"i1": course}), {"r1": told}).suppressed())) == 1
    fine = Course(danger.received, "P1", {"r1"}, later)
    assert not list(Day(Story({"i1": fine}), {"r1": told}).suppressed())


def test_without_data_it_says_so_and_ends_with_a_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RUAMJAI_CITY_DAY", "/nowhere.csv")
    monkeypatch.setattr("sys.argv", ["replay-day"])
    assert main() == NO_INPUT
    assert "RUAMJAI_CITY_DAY names no file" in capsys.readouterr().out


def test_the_made_calls_have_the_columns_of_the_city(calls: list[Incident]) -> None:
    with MADE.open(newline="") as file:
        assert {"Incident Number", "Unit ID", "Received DtTm"} <= set(next(csv.reader(file)))
    assert len(calls) == 6
