"""One incident, several reports: what is linked, what is offered, what is apart, and undone."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.linking import Band, judge, likeness
from services.dispatch.told import Told
from shared.bus.testing import NOON
from shared.contracts import (
    CommandRefused,
    IncidentClosed,
    IncidentLinked,
    IncidentOpened,
    IncidentUnlinked,
    ReportErased,
    Status,
    TaskAssigned,
)
from shared.contracts.values import GeoPoint, Place, Priority
from shared.contracts.view import Lifecycle
from tests.dispatch.stage import METRE, POLICE, TOWN, Stage, only

BRAWL = "วัยรุ่นตีกันหน้าตลาดสดเพชรบูรณ์ มีคนเจ็บ"
BRAWL_AGAIN = "มีวัยรุ่นตีกันที่ตลาดสดเพชรบูรณ์ คนเจ็บหลายคน"
THEFT = "รถจักรยานยนต์หายหน้าร้านสะดวกซื้อ"
FIRE = "ไฟไหม้บ้านหลังวัด"


def told(text: str, category: str = "brawl", north: float = 0, minutes: float = 0, **fields: object) -> Told:
    point = GeoPoint(lat=TOWN.lat + north * METRE, lon=TOWN.lon)
    given = {"point": point, "priority": Priority.P3} | fields
    at = NOON + timedelta(minutes=minutes)
    return Told.model_validate(
        {"report_id": "r", "received_at": at, "category": category, "text": text, "place": Place()} | given
    )


@pytest.mark.parametrize(
    ("text", "category", "north", "minutes", "band"),
    [
        (BRAWL, "brawl", 0, 0, Band.LINK),
        (BRAWL_AGAIN, "brawl", 40, 3, Band.LINK),
        (BRAWL_AGAIN, "unknown", 40, 3, Band.LINK),
        (BRAWL_AGAIN, "brawl", 250, 10, Band.SUGGEST),
        (BRAWL_AGAIN, "road_accident", 40, 3, Band.SUGGEST),
        (BRAWL, "brawl", 499, 0, Band.SUGGEST),
        (BRAWL, "brawl", 501, 0, Band.NEW),
        (BRAWL, "brawl", 0, 30, Band.LINK),
        (BRAWL, "brawl", 0, 31, Band.NEW),
        (THEFT, "theft", 10, 1, Band.NEW),
        (FIRE, "fire", 10, 1, Band.NEW),
        ("", "brawl", 20, 1, Band.LINK),
        ("", "brawl", 150, 10, Band.SUGGEST),
    ],
)
def test_a_report_is_linked_offered_or_apart(
    text: str, category: str, north: float, minutes: float, band: Band
) -> None:
    verdict = judge(told(text, category, north, minutes), [("i1", told(BRAWL))])
    assert verdict.band is band, verdict.reason


def test_the_reason_says_distance_time_category_and_likeness() -> None:
    verdict = judge(told(BRAWL, north=75, minutes=5), [("i1", told(BRAWL))])
    assert verdict.reason == "75 m, 5 min, category 1, text 1.00: 0.472, link"


def test_the_most_alike_of_several_is_meant() -> None:
    candidates = [("far", told(BRAWL, north=100)), ("near", told(BRAWL, north=10)), ("other", told(FIRE))]
    assert judge(told(BRAWL), candidates).incident_id == "near"


def test_a_report_without_a_place_is_linked_to_nothing() -> None:
    assert (
        judge(told(BRAWL, point=None), [("i1", told(BRAWL)), ("i2", told(BRAWL, point=None))]).band
        is Band.NEW
    )


@given(st.text(max_size=60), st.text(max_size=60))
def test_likeness_is_symmetric_and_between_nothing_and_the_same(one: str, other: str) -> None:
    assert likeness(one, other) == likeness(other, one)
    assert 0 <= likeness(one, other) <= 1


def test_two_reports_of_one_brawl_are_one_incident() -> None:
    stage = Stage()
    stage.report("brawl", BRAWL)
    stage.report("brawl", BRAWL_AGAIN, north=30)
    opened, linked = only(stage.said(IncidentOpened)), only(stage.said(IncidentLinked))
    assert linked.incident_id == opened.incident_id
    assert linked.view.report_count == len(linked.view.reports) == 2


def test_the_same_report_again_changes_nothing() -> None:
    stage = Stage()
    stage.report("brawl", BRAWL, report_id="r1")
    assert stage.report("brawl", BRAWL, report_id="r1") == []


def test_a_linked_p1_raises_the_priority_and_sends_who_is_missing() -> None:
    stage = Stage()
    stage.report("brawl", BRAWL)
    assert [t.desk for t in stage.view(only(stage.said(IncidentOpened)).incident_id).tasks] == [POLICE]
    stage.report("brawl", BRAWL, priority=Priority.P1)
    linked = only(stage.said(IncidentLinked))
    assert linked.view.priority is Priority.P1
    assert "priority" in linked.changed
    assert stage.view(linked.incident_id).tasks[-1].units == ("amb-1",)


def test_a_report_is_linked_to_an_incident_whose_only_reporter_was_erased() -> None:
    stage = Stage()
    stage.report("theft", THEFT)
    opened = only(stage.said(IncidentOpened))
    report_id, at = opened.view.reports[0].report_id, stage.rehearsal.clock.now()
    stage.tell(ReportErased(report_id=report_id, incident_id=opened.incident_id, desk=POLICE, erased_at=at))
    stage.report("theft", THEFT, north=20)
    assert only(stage.said(IncidentLinked)).incident_id == opened.incident_id


def test_a_report_is_linked_to_an_incident_that_has_come_back() -> None:
    stage = Stage(forget_seconds=60)
    stage.report("theft", THEFT)
    id_ = only(stage.said(IncidentOpened)).incident_id
    stage.order("incident.close", incident_id=id_)
    stage.advance(60)
    last = stage.events(id_)[-1]
    stage.order("incident.reopen", incident_id=id_, view=last.view, seq=last.seq)
    stage.report("theft", THEFT, north=20)
    assert only(stage.said(IncidentLinked)).incident_id == id_


def test_what_stands_for_a_forgotten_report_cannot_be_moved_as_one() -> None:
    stage = Stage()
    stage.report("theft", THEFT)
    stage.report("theft", THEFT, north=490)
    first, second = stage.said(IncidentOpened)
    report_id, at = first.view.reports[0].report_id, stage.rehearsal.clock.now()
    stage.tell(ReportErased(report_id=report_id, incident_id=first.incident_id, desk=POLICE, erased_at=at))
    stage.order("incident.link", incident_id=second.incident_id, report_id=first.incident_id)
    assert only(stage.said(CommandRefused)).reason == "unknown_report"


def test_a_link_never_lowers_the_priority() -> None:
    stage = Stage()
    stage.report("brawl", BRAWL, priority=Priority.P2)
    stage.report("brawl", BRAWL, priority=Priority.P4)
    assert only(stage.said(IncidentLinked)).view.priority is Priority.P2


def test_a_p1_after_the_incident_is_resolved_is_an_incident_of_its_own() -> None:
    stage = Stage()
    stage.report("theft", THEFT)
    stage.order("incident.resolve", incident_id=only(stage.said(IncidentOpened)).incident_id)
    stage.report("theft", THEFT, priority=Priority.P1)
    assert len(stage.said(IncidentOpened)) == 2


@pytest.mark.parametrize("status", [Status.EXERCISE, Status.TEST])
def test_what_is_not_real_is_never_linked_with_what_is(status: Status) -> None:
    stage = Stage()
    stage.report("brawl", BRAWL)
    events = stage.report("brawl", BRAWL, status=status)
    assert len(stage.said(IncidentOpened)) == 2
    assert {event.status for event in events} == {status}
    theirs = stage.said(IncidentOpened)[1].view.reports[0].report_id
    ours = stage.said(IncidentOpened)[0].incident_id
    stage.order("incident.link", incident_id=ours, report_id=theirs)
    assert stage.said(CommandRefused)[-1].reason == "status_differs"


def test_a_doubtful_report_has_its_own_incident_and_is_offered_to_the_other() -> None:
    stage = Stage()
    stage.report("brawl", BRAWL)
    stage.report("brawl", BRAWL_AGAIN, north=400)
    first, second = stage.said(IncidentOpened)
    offered = stage.view(first.incident_id).reports[-1]
    assert offered.suggested
    assert offered.report_id == second.view.reports[0].report_id
    assert stage.view(first.incident_id).report_count == 1


def test_a_confirmed_offer_moves_the_report_and_closes_the_duplicate() -> None:
    stage = Stage()
    stage.report("brawl", BRAWL)
    stage.report("brawl", BRAWL_AGAIN, north=400)
    first, second = stage.said(IncidentOpened)
    stage.order("incident.link", incident_id=first.incident_id, report_id=second.view.reports[0].report_id)
    assert [link.suggested for link in stage.view(first.incident_id).reports] == [False, False]
    assert stage.view(first.incident_id).report_count == 2
    closed = only(stage.said(IncidentClosed))
    assert (closed.incident_id, closed.outcome) == (second.incident_id, "duplicate")


def test_a_merged_report_leaves_the_duplicate_before_that_is_closed() -> None:
    stage = Stage()
    stage.report("brawl", BRAWL)
    stage.report("brawl", BRAWL_AGAIN, north=400)
    first, second = stage.said(IncidentOpened)
    report_id = second.view.reports[0].report_id
    stage.order("incident.link", incident_id=first.incident_id, report_id=report_id)
    unlinked, closed = stage.events(second.incident_id)[-2:]
    assert isinstance(unlinked, IncidentUnlinked)
    assert isinstance(closed, IncidentClosed)
    assert unlinked.report_id == report_id
    assert (closed.view.report_count, closed.view.reports) == (0, ())


def test_a_report_can_be_moved_out_of_an_incident_that_is_closed() -> None:
    stage = Stage()
    stage.report("brawl", BRAWL)
    stage.report("brawl", BRAWL_AGAIN, north=400)
    first, second = stage.said(IncidentOpened)
    stage.order("incident.close", incident_id=second.incident_id)
    report_id = second.view.reports[0].report_id
    stage.order("incident.link", incident_id=first.incident_id, report_id=report_id)
    assert only(stage.said(IncidentUnlinked)).incident_id == second.incident_id
    assert only(stage.said(IncidentClosed)).outcome == "resolved"


def test_a_report_stays_with_its_units_where_the_other_incident_is_over() -> None:
    stage = Stage()
    stage.report("theft", THEFT)
    over = only(stage.said(IncidentOpened)).incident_id
    stage.order("incident.resolve", incident_id=over)
    stage.report("theft", THEFT, north=300)
    own = stage.said(IncidentOpened)[-1]
    stage.order("incident.link", incident_id=over, report_id=own.view.reports[0].report_id)
    assert only(stage.said(CommandRefused)).reason == "incident_closed"
    assert stage.view(own.incident_id).lifecycle is Lifecycle.ASSIGNED
    assert only(stage.view(own.incident_id).tasks).units == ("car-1",)


def test_a_declined_offer_is_withdrawn() -> None:
    stage = Stage()
    stage.report("brawl", BRAWL)
    stage.report("brawl", BRAWL_AGAIN, north=400)
    first, second = stage.said(IncidentOpened)
    stage.order("incident.unlink", incident_id=first.incident_id, report_id=second.view.reports[0].report_id)
    assert len(stage.view(first.incident_id).reports) == 1
    assert len(stage.said(IncidentOpened)) == 2


def test_an_undone_link_gives_the_report_an_incident_of_its_own() -> None:
    stage = Stage()
    stage.report("brawl", BRAWL)
    stage.report("brawl", BRAWL_AGAIN)
    linked = only(stage.said(IncidentLinked))
    stage.order("incident.unlink", incident_id=linked.incident_id, report_id=linked.report_id)
    assert only(stage.said(IncidentUnlinked)).view.report_count == 1
    own = stage.said(IncidentOpened)[-1]
    assert own.incident_id != linked.incident_id
    assert own.view.reports[0].report_id == linked.report_id
    assert own.view.text == BRAWL_AGAIN
    assert stage.said(TaskAssigned)[-1].incident_id == own.incident_id


def test_an_incident_keeps_its_last_report() -> None:
    stage = Stage()
    stage.report("brawl", BRAWL)
    opened = only(stage.said(IncidentOpened))
    report_id = opened.view.reports[0].report_id
    stage.order("incident.unlink", incident_id=opened.incident_id, report_id=report_id)
    assert only(stage.said(CommandRefused)).reason == "last_report"


def test_a_linked_report_gives_a_place_to_an_incident_without_one() -> None:
    stage = Stage()
    stage.report("brawl", BRAWL, point=None, place=Place())
    stage.report("brawl", BRAWL_AGAIN)
    first, second = stage.said(IncidentOpened)
    stage.order("incident.link", incident_id=first.incident_id, report_id=second.view.reports[0].report_id)
    assert stage.view(first.incident_id).point == TOWN
    assert stage.view(first.incident_id).place == second.view.place
