"""A very small day with evidence that is in order, for tests to spoil."""

import json
from datetime import UTC, datetime
from typing import Any

from deploy.local.demo.day import Chapter, Day, Expected, Partner, Scene, Wrong
from deploy.local.demo.evidence import Evidence
from deploy.local.demo.reporters import Sent
from deploy.local.demo.witness import Seen

EXPIRES = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
BEFORE, AFTER = "2026-01-01T11:59:59.000Z", "2026-01-01T12:00:01.000Z"
GUARD = "guard"
SCENE = Scene(
    id="crash", at=(16.4, 101.1), reports=("a", "b"), category="theft", priority="P3", desk="police-6701"
)
SECRET = "0812345678"


def a_day() -> Day:
    """One scene, one partner whose agreement expires at noon, one mistake."""
    partner = Partner(
        agency=GUARD, name="g", categories=("theft",), areas=("67",), fields=("lifecycle",), seconds=9
    )
    expected = Expected(
        reports_sent=3,
        accepted=2,
        rejected=1,
        incidents=1,
        linked=1,
        assigned=1,
        escalated=0,
        dead_letters=0,
        agency_events={GUARD: (1, 2)},
        withheld={GUARD: 1},
    )
    return Day(
        hooked=GUARD,
        hook_failures=0,
        partners=(partner,),
        chapters=(Chapter(name="noon", scenes=(SCENE,)),),
        wrong=(Wrong(why="no text", status=422, body={}),),
        expected=expected,
    )


def record(topic: str, kind: str, id_: str, body: dict[str, Any], time: str = BEFORE) -> Seen:
    """One record of the wire."""
    headers = {"ce_id": id_, "ce_type": f"th.ruamjai.{kind}.v1", "ce_time": time}
    return Seen(topic, json.dumps(body).encode(), headers, at=1.5)


def incident(seq: int, kind: str, *reports: str, **view: Any) -> Seen:
    """One event of the incident."""
    links = [{"report_id": report, "suggested": False} for report in reports]
    task = {"task_id": "inc/police/1", "units": ["patrol"]}
    whole = {
        "category": "theft",
        "priority": "P3",
        "desk": "police-6701",
        "lifecycle": "closed",
        "tasks": [task],
    }
    place = {"province": "67", "amphoe": "6701", "tambon": None}
    body = {"incident_id": "inc", "seq": seq, "status": "actual"}
    return record(
        "incidents", kind, f"i{seq}", body | {"view": whole | {"place": place, "reports": links} | view}
    )


def shared(seq: int, time: str = BEFORE, **view: Any) -> Seen:
    """One event on the guards' topic."""
    body = {"incident_id": "inc", "seq": seq, "view": {"lifecycle": "closed", "category": None} | view}
    return record("agency.guard.incidents", "incident.shared", f"s{seq}", body, time)


def evidence() -> Evidence:
    """All in order."""
    told = shared(1)
    ledger = {"deliveries": [{"agency": GUARD, "outcome": "withheld", "proof": None}]}
    stream = [incident(1, "incident.opened", "r1"), incident(2, "incident.linked", "r1", "r2")]
    return Evidence(
        day=a_day(),
        reports_sent=3,
        accepted=[Sent("r1", "crash", 1.0, (SECRET,)), Sent("r2", "crash", 1.0, ("0899999999",))],
        rejected=[("no text", 422, 422)],
        records=[*stream, told, record("deliveries", "delivery.recorded", "d1", ledger)],
        partners={GUARD: [told]},
        hooked=["s1"],
        bodies=[told.value],
        expires=EXPIRES,
    )
