"""A file of reports, and an intake that answers as it is told to."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from deploy.local.replay.done import Done
from deploy.local.replay.player import Player
from deploy.local.replay.script import Script, read_script

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
URL = "http://intake"


def a_line(seconds: float = 0, **body: Any) -> str:
    """One line, so many seconds after noon."""
    at = (NOON + timedelta(seconds=seconds)).isoformat()
    return json.dumps({"at": at, "text": "รถชน", "point": {"lat": 16.4, "lon": 101.1}} | body)


def a_script(folder: Path, *lines: str) -> Script:
    """A file with these lines, read."""
    path = folder / "day.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return read_script(path)


class Intake:
    """Takes everything, except where `answers` has something else for a request yet to come."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return httpx.Response(202, json={"report_id": f"r{len(self.asked)}"})

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What was sent, in order."""
        return [json.loads(request.content) for request in self.asked]

    def keys(self) -> list[str]:
        """The idempotency keys, in order."""
        return [request.headers["Idempotency-Key"] for request in self.asked]


def a_player(script: Script, done: Done, intake: Callable[[httpx.Request], httpx.Response]) -> Player:
    """A player at sixty times the speed, with little patience."""
    client = httpx.AsyncClient(transport=httpx.MockTransport(intake))
    return Player(script, done, client, URL, None, 60.0, lambda: None, patience=0.1, again=0.01)


def no_answer(script: Script) -> Done:
    """Nothing was answered yet."""
    return Done(script.path.with_suffix(".replay"), script.digest)
