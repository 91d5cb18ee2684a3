"""An agency whose topic is missing keeps nobody else waiting, and the ledger says why it was told nothing."""

from datetime import timedelta

import pytest

from services.notify.audience import Audience
from services.notify.handlers import REVIEW
from services.notify.outlets import LOOK_SECONDS, SETTLE_SECONDS, Outlets
from shared.bus import Retry
from shared.bus.testing import NOON
from shared.contracts import CommandAccepted, DeliveryRecorded, ReportErased
from shared.contracts.agency import Presence
from shared.contracts.delivery import DeliveryOutcome
from tests.notify.support import (
    HOSPITAL,
    INCIDENT,
    RESCUE,
    Hands,
    Stage,
    agreement,
    opened,
    recorded,
    shared,
    updated,
)

WITHHELD = DeliveryOutcome.WITHHELD


def stage_without(*agencies: str) -> Stage:
    """Two agreements, and agencies that have no topic."""
    stage = Stage(agreement(), agreement(HOSPITAL))
    stage.without_topic = set(agencies)
    return stage


def test_the_others_are_served_and_the_ledger_says_no_topic() -> None:
    stage = stage_without(HOSPITAL)
    events = stage.hear(opened())
    assert [event.agency for event in shared(events)] == [RESCUE]
    withheld, delivered = recorded(events)
    assert (withheld.agency, withheld.outcome, withheld.reason) == (HOSPITAL, WITHHELD, "no_topic")
    assert (withheld.agreement_id, withheld.proof, withheld.withheld) == ("mou-hospital", None, ())
    assert delivered.outcome is DeliveryOutcome.DELIVERED
    assert [(verdict.agency, verdict.reason) for verdict in stage.counted] == [
        (HOSPITAL, "no_topic"),
        (RESCUE, None),
    ]


def test_once_the_topic_is_there_its_first_event_enters() -> None:
    stage = stage_without(HOSPITAL)
    stage.hear(opened())
    stage.without_topic.clear()
    [event] = shared(stage.hear(updated(2, "category")), HOSPITAL)
    assert (event.seq, event.presence) == (1, Presence.ENTERED)


def test_a_topic_that_was_away_for_a_while_has_no_gap() -> None:
    stage = stage_without()
    stage.hear(opened())
    stage.without_topic = {HOSPITAL}
    stage.hear(updated(2, "category", category="road_accident"))
    stage.without_topic.clear()
    [event] = shared(stage.hear(updated(3, "lifecycle", lifecycle="assigned")), HOSPITAL)
    assert (event.seq, event.presence) == (2, Presence.UPDATED)


def test_the_last_word_waits_for_the_topic() -> None:
    stage = stage_without()
    stage.now_agreed(agreement(valid_until=NOON + timedelta(minutes=3)))
    stage.hear(opened())
    stage.without_topic = {RESCUE}
    assert shared(stage.advance(180)) == []
    stage.without_topic.clear()
    [event] = shared(stage.advance(REVIEW.total_seconds()))
    assert (event.seq, event.presence) == (2, Presence.LEFT)


def test_an_erasure_and_an_answer_are_withheld_from_it_alone() -> None:
    stage = stage_without()
    stage.hear(opened())
    stage.without_topic = {HOSPITAL}
    erased = ReportErased(report_id="rep-1", incident_id=INCIDENT, desk="670101", erased_at=NOON)
    [told, entry] = stage.tell(INCIDENT, erased)
    assert isinstance(told, ReportErased)
    assert [(d.agency, d.reason) for d in recorded([entry])] == [(HOSPITAL, "no_topic"), (RESCUE, None)]
    outcome = CommandAccepted(
        command_id="c", verb="task.acknowledge", desk="d", actor=f"agency:{HOSPITAL}", incident_id=INCIDENT
    )
    [entry] = stage.tell(INCIDENT, outcome)
    assert isinstance(entry, DeliveryRecorded)
    assert [(d.agency, d.outcome, d.reason) for d in entry.deliveries] == [(HOSPITAL, WITHHELD, "no_topic")]


def test_an_incident_that_nobody_could_be_told_of_is_not_remembered() -> None:
    stage = stage_without(RESCUE, HOSPITAL)
    stage.hear(opened())
    assert stage.state(INCIDENT) == Audience()


def test_a_topic_is_believed_to_be_missing_only_after_a_second_look() -> None:
    hands = Hands()
    outlets = Outlets(hands)
    assert outlets.due
    outlets.note({"agency.rescue.incidents"})
    assert outlets.has(RESCUE)
    assert not outlets.due
    with pytest.raises(Retry):
        outlets.has(HOSPITAL)
    assert outlets.due
    outlets.note({"agency.rescue.incidents"})
    with pytest.raises(Retry):
        outlets.has(HOSPITAL)
    hands.now += SETTLE_SECONDS
    outlets.note({"agency.rescue.incidents"})
    assert not outlets.has(HOSPITAL)
    assert not outlets.due
    hands.now += LOOK_SECONDS
    assert outlets.due
    outlets.note({"agency.rescue.incidents", "agency.hospital.incidents"})
    assert outlets.has(HOSPITAL)


def test_a_topic_that_is_new_to_the_broker_asked_costs_a_moment_and_no_event() -> None:
    outlets = Outlets(Hands())
    outlets.note(())
    with pytest.raises(Retry):
        outlets.has(RESCUE)
    outlets.note({"agency.rescue.incidents"})
    assert outlets.has(RESCUE)


def test_what_is_missing_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    hands = Hands()
    outlets = Outlets(hands)
    with pytest.raises(Retry):
        outlets.has(RESCUE)
    hands.now += SETTLE_SECONDS
    for _ in range(3):
        outlets.note(())
        assert not outlets.has(RESCUE)
    [line] = caplog.records
    assert line.__dict__["topic"] == "agency.rescue.incidents"
