"""The file is checked whole before anything is sent, and what is wrong is told by line and reason."""

from pathlib import Path

import pytest

from deploy.local.replay.script import LONGEST
from tests.replay.support import NOON, a_line, a_script


def test_reports_are_played_in_the_order_of_their_times(tmp_path: Path) -> None:
    script = a_script(tmp_path, a_line(20), "", a_line(10), a_line(20))
    assert [line.number for line in script.lines] == [3, 1, 4]
    assert script.lines[1].at > NOON


def test_what_is_sent_is_the_line_without_its_time(tmp_path: Path) -> None:
    script = a_script(tmp_path, a_line(text="first"), a_line(1, text="ไฟไหม้", category="fire"))
    body = script.body(script.lines[1])
    assert body == {"text": "ไฟไหม้", "category": "fire", "point": {"lat": 16.4, "lon": 101.1}}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "no JSON"),
        ("[" * 5_000, "no JSON"),
        ('{"text": "x"}', "at: Field required"),
        (a_line(text=""), "text"),
        (a_line(colour="red"), "colour"),
        (a_line(point={"lat": 200, "lon": 1}), "point.lat"),
        ('{"at": "2026-11-23T12:00:00", "text": "x"}', "at: "),
        (a_line(text="x" * LONGEST), "longer than"),
    ],
)
def test_a_bad_line_is_told_by_number_and_reason_and_the_next_is_read(
    tmp_path: Path, line: str, reason: str
) -> None:
    script = a_script(tmp_path, a_line(), line, a_line(1))
    [(number, told)] = script.bad
    assert number == 2
    assert reason in told
    assert [script.body(good)["text"] for good in script.lines] == ["รถชน", "รถชน"]


def test_a_reason_does_not_repeat_what_somebody_wrote(tmp_path: Path) -> None:
    script = a_script(tmp_path, a_line(reporter={"phone": {"x": "0812345678"}}))
    assert "0812345678" not in script.bad[0][1]
