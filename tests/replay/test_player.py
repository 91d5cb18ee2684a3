"""A replay loses no line and sends none for a second report, whatever answers and whenever it is stopped."""

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from deploy.local.replay.done import Done, OtherFileError
from deploy.local.replay.player import StoppedError
from tests.replay.support import Intake, a_line, a_player, a_script, no_answer


async def test_the_spacing_is_divided_by_the_speed(tmp_path: Path) -> None:
    script = a_script(tmp_path, a_line(0), a_line(6), a_line(12))
    at: list[float] = []

    def note(_: httpx.Request) -> httpx.Response:
        at.append(time.monotonic())
        return httpx.Response(202, json={"report_id": f"r{len(at)}"})

    await a_player(script, no_answer(script), note).play()
    assert at[2] - at[0] == pytest.approx(0.2, abs=0.05)


async def test_a_late_answer_delays_no_other_report(tmp_path: Path) -> None:
    script = a_script(tmp_path, a_line(0, text="slow"), a_line(1, text="quick"))
    quick = asyncio.Event()

    async def intake(request: httpx.Request) -> httpx.Response:
        if b"quick" in request.content:
            quick.set()
        await quick.wait()
        return httpx.Response(202, json={"report_id": request.headers["Idempotency-Key"]})

    done = no_answer(script)
    async with asyncio.timeout(5):
        await a_player(script, done, intake).play()  # type: ignore[arg-type]
    assert sorted(done.accepted) == [1, 2]


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(503, headers={"Retry-After": "0"}),
        httpx.Response(429, headers={"Retry-After": "0"}),
        httpx.ConnectError("refused"),
        httpx.ReadError("gone"),
    ],
)
async def test_a_report_is_sent_again_under_the_same_key(tmp_path: Path, trouble: object) -> None:
    script, intake = a_script(tmp_path, a_line()), Intake(trouble)  # type: ignore[arg-type]
    done = no_answer(script)
    await a_player(script, done, intake).play()
    first, second = intake.keys()
    assert first == second
    assert done.accepted == {1: "r2"}


async def test_what_intake_refuses_is_told_and_the_rest_is_played(tmp_path: Path) -> None:
    script = a_script(tmp_path, a_line(), a_line(1))
    intake, done = Intake(httpx.Response(422, json={"detail": "text: too long"})), no_answer(script)
    await a_player(script, done, intake).play()
    assert done.rejected == {1: "422 text: too long"}
    assert list(done.accepted) == [2]


async def test_without_a_valid_key_it_stops_at_once(tmp_path: Path) -> None:
    script = a_script(tmp_path, a_line(), a_line(600))
    intake, done = Intake(httpx.Response(401, json={"detail": "no key"})), no_answer(script)
    with pytest.raises(StoppedError, match="line 1: 401 no key"):
        await a_player(script, done, intake).play()
    assert not done.rejected


async def test_when_nobody_answers_it_stops_and_later_goes_on(tmp_path: Path) -> None:
    script = a_script(tmp_path, a_line(), a_line(6))
    down = Intake(httpx.Response(202, json={"report_id": "r1"}), *[httpx.ConnectError("down")] * 99)
    stopped = no_answer(script)
    stopped.begin({})
    with pytest.raises(StoppedError, match="line 2"):
        await a_player(script, stopped, down).play()
    intake, again = Intake(), no_answer(script)
    await a_player(script, again, intake).play()
    assert len(intake.asked) == 1
    assert again.accepted == {1: "r1", 2: "r1"}


async def test_a_key_belongs_to_file_and_line(tmp_path: Path) -> None:
    script, intake = a_script(tmp_path, a_line(), a_line()), Intake()
    await a_player(script, no_answer(script), intake).play()
    other = a_script(tmp_path, a_line(), a_line(), a_line())
    (tmp_path / "day.replay").unlink()
    await a_player(other, no_answer(other), intake).play()
    assert len(set(intake.keys())) == 5


def test_a_line_that_a_crash_cut_off_is_sent_again(tmp_path: Path) -> None:
    script = a_script(tmp_path, a_line(), a_line(1))
    done = no_answer(script)
    done.begin({"incidents/0": 7})
    done.accept(1, "r1")
    done.accept(2, "r2")
    text = done.path.read_text()
    done.path.write_text(text[: text.rindex("r2")])
    found = no_answer(script)
    assert (found.accepted, found.start) == ({1: "r1"}, {"incidents/0": 7})
    found.accept(2, "r2")
    assert no_answer(script).accepted == {1: "r1", 2: "r2"}


def test_what_was_answered_for_another_file_is_not_taken_for_this_one(tmp_path: Path) -> None:
    script = a_script(tmp_path, a_line())
    done = no_answer(script)
    done.begin({})
    with pytest.raises(OtherFileError, match="remove it to begin anew"):
        Done(done.path, "another digest")
