"""The clients of the demonstration: crews that answer or do not, and a receiver that fails for a while."""

import hmac
import json
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest

from deploy.local.demo.crews import Crews
from deploy.local.demo.hook import Hook
from deploy.local.demo.witness import Seen
from tests.demo.made import record

TASK = {
    "task_id": "inc/police/1",
    "agency": "police",
    "state": "assigned",
    "acknowledge_by": "2026-01-01T00:00:05Z",
}


@dataclass
class Told:
    """A guide that says one thing of every incident."""

    silence: int = 0
    finish: bool = True

    def silent(self, incident_id: str, role: str) -> int:
        return self.silence

    def may_finish(self, incident_id: str) -> bool:
        return self.finish


async def nobody(verb: str, incident_id: str, task_id: str | None) -> None:
    """Say nothing."""


def crews(guide: Told, *events: Seen) -> Crews:
    """Crews who answer for everything, and have heard `events`."""
    found = Crews(nobody, guide, lambda _, __: True, closes=True)
    for event in events:
        found.hear(event)
    return found


def event(kind: str = "task.assigned", lifecycle: str = "assigned", **task: Any) -> Seen:
    """An event about the one task of an incident."""
    view = {"lifecycle": lifecycle, "tasks": [TASK | task]}
    return record("incidents", kind, "e", {"incident_id": "inc", "task_id": TASK["task_id"], "view": view})


@pytest.mark.parametrize(
    ("state", "verb"),
    [
        ("assigned", "task.acknowledge"),
        ("acknowledged", "task.en_route"),
        ("en_route", "task.on_scene"),
        ("on_scene", "task.complete"),
    ],
)
def test_a_crew_says_what_comes_next(state: str, verb: str) -> None:
    assert crews(Told(), event(state=state)).due() == [(verb, "inc", "inc/police/1")]


def test_a_silent_unit_answers_only_when_the_task_has_been_passed_on_often_enough() -> None:
    assert crews(Told(silence=2), event(), event("task.escalated")).due() == []
    assert crews(Told(silence=2), event(), event("task.escalated"), event("task.escalated")).due() != []


def test_nobody_answers_for_a_task_that_its_desk_does_not_have_yet() -> None:
    assert crews(Told(), event(acknowledge_by=None)).due() == []


def test_the_work_ends_only_when_everybody_has_called() -> None:
    assert crews(Told(finish=False), event(state="on_scene")).due() == []


def test_what_is_resolved_is_closed() -> None:
    assert crews(Told(), event(lifecycle="resolved", state="completed")).due() == [
        ("incident.close", "inc", None)
    ]


def signed(hook: Hook, body: bytes) -> dict[str, str]:
    """The headers of a request that is rightly signed."""
    mac = b64encode(hmac.digest(hook.secret, b"m1.1." + body, sha256)).decode()
    return {"webhook-id": "m1", "webhook-timestamp": "1", "webhook-signature": f"v1,{mac}"}


def test_the_receiver_fails_at_first_and_then_takes_each_event_once() -> None:
    hook, body = Hook(failures=2, secret=b"s" * 32), json.dumps({"id": "e1"}).encode()
    assert [hook.take(signed(hook, body), body) for _ in range(4)] == [503, 503, 204, 204]
    assert [event["id"] for event in hook.got] == ["e1"]


def test_the_receiver_takes_nothing_that_is_wrongly_signed() -> None:
    hook, body = Hook(failures=0, secret=b"s" * 32), b'{"id": "e1"}'
    assert hook.take(signed(Hook(0, b"t" * 32), body), body) == 401
    assert (hook.got, hook.forged) == ([], 1)
