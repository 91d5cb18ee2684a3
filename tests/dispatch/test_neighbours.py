"""A report near a border is one desk's; the desks next door are asked whether they know of it."""

from typing import Any

import pytest

from shared.contracts import (
    CommandAccepted,
    CommandRefused,
    CommandRequested,
    IncidentClosed,
    IncidentOpened,
    IncidentUpdated,
    Status,
)
from shared.contracts.command import Verb
from shared.contracts.values import Priority
from shared.contracts.view import IncidentView
from tests.dispatch.stage import EMS, NEXT, POLICE, Stage, only

BRAWL = "วัยรุ่นตีกันหน้าตลาดสดเพชรบูรณ์ มีคนเจ็บ"
BRAWL_AGAIN = "มีวัยรุ่นตีกันที่ตลาดสดเพชรบูรณ์ คนเจ็บหลายคน"


def known_next_door(stage: Stage, **fields: Any) -> str:
    """Open an incident at the desk next door; return its id."""
    stage.report("brawl", BRAWL, desk=NEXT, report_id="theirs", **fields)
    return stage.said(IncidentOpened)[-1].incident_id


def near_the_border(stage: Stage, **fields: Any) -> str:
    """Report the same to the police of the town; return the incident of the report."""
    given = {"report_id": "ours", "neighbours": (NEXT,)} | fields
    stage.report("brawl", BRAWL_AGAIN, **given)
    return next(id_ for id_, held in stage.desk().incidents.items() if _holds(held.view, given["report_id"]))


def _holds(view: IncidentView, report_id: Any) -> bool:
    return any(entry.report_id == report_id and not entry.suggested for entry in view.reports)


def suggested(stage: Stage, incident_id: str) -> list[str]:
    """The reports that an incident is offered."""
    return [entry.report_id for entry in stage.view(incident_id).reports if entry.suggested]


@pytest.mark.parametrize("north", [0.0, 250.0])
def test_a_report_like_an_incident_next_door_is_offered_to_it_and_never_linked(north: float) -> None:
    stage = Stage()
    theirs = known_next_door(stage)
    ours = near_the_border(stage, north=north)
    assert suggested(stage, theirs) == ["ours"]
    assert stage.view(theirs).report_count == 1
    assert _holds(stage.view(ours), "ours")
    offered = stage.events(theirs)[-1]
    assert isinstance(offered, IncidentUpdated)
    assert offered.changed == ("reports",)
    [asked] = [command for command in stage.asked if command.verb == Verb.INCIDENT_LINK]
    assert (asked.desk, asked.actor, asked.incident_id) == (NEXT, f"desk:{POLICE}", ours)
    outcome = only([o for o in stage.said(CommandAccepted) if o.verb == Verb.INCIDENT_LINK])
    assert (outcome.desk, outcome.actor) == (NEXT, f"desk:{POLICE}")


@pytest.mark.parametrize(
    "fields",
    [
        {"north": 501.0},
        {"point": None},
        {"category": "fire", "text": "ไฟไหม้บ้านหลังวัด"},
        {"status": Status.EXERCISE},
        {"neighbours": ()},
        {"neighbours": (POLICE,)},
        {"neighbours": (EMS,)},
    ],
)
def test_what_is_not_like_it_or_not_for_it_is_not_offered(fields: dict[str, Any]) -> None:
    stage = Stage()
    theirs = known_next_door(stage)
    stage.report(**({"category": "brawl", "text": BRAWL_AGAIN, "neighbours": (NEXT,)} | fields))
    assert len(stage.events(theirs)) == 2
    assert not stage.said(CommandRefused)


def test_an_incident_that_is_over_is_offered_nothing() -> None:
    stage = Stage()
    theirs = known_next_door(stage)
    stage.order("incident.resolve", NEXT, incident_id=theirs)
    near_the_border(stage)
    assert suggested(stage, theirs) == []


def test_a_report_that_was_linked_at_home_is_offered_as_well_and_judged_by_what_it_says_itself() -> None:
    stage = Stage()
    theirs = known_next_door(stage, north=450.0)
    near_the_border(stage, report_id="first", neighbours=())
    near_the_border(stage, north=200.0)
    assert len(stage.desk().incidents) == 1
    assert suggested(stage, theirs) == ["ours"]


def test_what_was_offered_before_is_not_offered_again() -> None:
    stage = Stage()
    theirs = known_next_door(stage)
    near_the_border(stage)
    [asked] = [command for command in stage.asked if command.verb == Verb.INCIDENT_LINK]
    before = len(stage.events(theirs))
    stage.tell(asked)
    assert len(stage.events(theirs)) == before


def test_the_desks_next_door_need_not_be_there() -> None:
    stage = Stage()
    near_the_border(stage, neighbours=("p-nowhere",))
    assert only([o for o in stage.said(CommandAccepted) if o.verb == Verb.INCIDENT_LINK]).desk == "p-nowhere"


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"actor": f"desk:{EMS}"}, "not_allowed"), ({"view": None}, "incomplete"), ({"args": {}}, "incomplete")],
)
def test_a_desk_offers_only_its_own_reports_and_says_what_they_are(
    change: dict[str, Any], reason: str
) -> None:
    stage = Stage()
    known_next_door(stage)
    near_the_border(stage)
    [asked] = [command for command in stage.asked if command.verb == Verb.INCIDENT_LINK]
    again = CommandRequested.model_validate(asked.model_dump() | change)
    assert only(stage.tell(again)).reason == reason


@pytest.mark.parametrize("reports", [["ours"], ["first", "ours"]])
def test_an_offer_is_confirmed_once_the_reports_incident_has_been_handed_over(reports: list[str]) -> None:
    stage = Stage()
    theirs = known_next_door(stage, priority=Priority.P3)
    for report_id in reports:
        ours = near_the_border(stage, report_id=report_id)
    confirm = {"verb": "incident.link", "desk": NEXT, "incident_id": theirs, "report_id": "ours"}
    stage.order(**confirm)
    assert only(stage.said(CommandRefused)).reason == "other_desk"
    assert "ours" in suggested(stage, theirs)
    stage.order("incident.hand_over", incident_id=ours, to_desk=NEXT)
    stage.order(**confirm)
    assert len(stage.said(CommandRefused)) == 1
    assert _holds(stage.view(theirs), "ours")
    assert stage.view(theirs).report_count == 2
    if len(reports) == 1:
        assert only(stage.said(IncidentClosed)).incident_id == ours
    else:
        assert not _holds(stage.view(ours), "ours")
        assert stage.view(ours).report_count == 1


def test_an_offer_from_next_door_is_declined_like_any_other() -> None:
    stage = Stage()
    theirs, ours = known_next_door(stage), near_the_border(stage)
    stage.order("incident.unlink", NEXT, incident_id=theirs, report_id="ours")
    assert suggested(stage, theirs) == []
    assert _holds(stage.view(ours), "ours")
    assert not stage.said(CommandRefused)


def test_any_report_of_an_incident_that_was_handed_over_can_be_unlinked() -> None:
    stage = Stage()
    for report_id in ("first", "ours"):
        ours = near_the_border(stage, report_id=report_id)
    stage.order("incident.hand_over", incident_id=ours, to_desk=NEXT)
    stage.order("incident.unlink", NEXT, incident_id=ours, report_id="ours")
    assert not stage.said(CommandRefused)
    own = stage.said(IncidentOpened)[-1]
    assert (own.view.desk, own.view.reports[0].report_id) == (NEXT, "ours")


def test_an_offer_that_comes_first_is_confirmed_once_its_incident_has_been_handed_over() -> None:
    stage = Stage()
    theirs = known_next_door(stage)
    ours = near_the_border(stage)
    stage.report("brawl", BRAWL, desk=NEXT, report_id="another")
    assert [entry.report_id for entry in stage.view(theirs).reports] == ["theirs", "ours", "another"]
    stage.order("incident.unlink", NEXT, incident_id=theirs, report_id="theirs")
    stage.order("incident.hand_over", NEXT, incident_id=theirs, to_desk=POLICE)
    stage.order("incident.link", incident_id=theirs, report_id="ours")
    assert not stage.said(CommandRefused)
    assert _holds(stage.view(theirs), "ours")
    assert not _holds(stage.view(ours), "ours")
