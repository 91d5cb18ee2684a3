"""What happens though nothing happens: agreements end, and numbering goes on without a gap."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.audience import Audience
from services.notify.handlers import FORGET, REVIEW
from shared.bus.testing import NOON
from shared.contracts import IncidentClosed
from shared.contracts.agency import Presence
from shared.contracts.agreement import Terms
from shared.contracts.delivery import DeliveryOutcome
from shared.contracts.view import Lifecycle
from tests.notify.support import (
    HOSPITAL,
    INCIDENT,
    RESCUE,
    Stage,
    agreement,
    opened,
    recorded,
    shared,
    terms,
    updated,
    view,
    withdrawn,
)

CLOSED = IncidentClosed(
    incident_id=INCIDENT,
    seq=2,
    outcome="resolved",
    changed=("lifecycle",),
    view=view(lifecycle=Lifecycle.CLOSED),
)


def test_an_incident_leaves_view_at_the_instant_the_agreement_expires_though_no_event_comes() -> None:
    stage = Stage(agreement(valid_until=NOON + timedelta(minutes=7)), agreement(HOSPITAL))
    stage.hear(opened())
    assert shared(stage.advance(5 * 60)) == []
    assert shared(stage.advance(2 * 60 - 1)) == []
    told = stage.advance(1)
    [left] = shared(told)
    assert (left.agency, left.presence, left.seq) == (RESCUE, Presence.LEFT, 2)
    assert (left.happened, left.view) == ("agreement.expired", None)
    [delivery] = recorded(told)
    assert (delivery.recipient, delivery.outcome) == (RESCUE, DeliveryOutcome.DELIVERED)


def test_an_instant_between_two_milliseconds_is_not_missed() -> None:
    stage = Stage(agreement(valid_until=NOON + timedelta(seconds=40, microseconds=400)))
    stage.hear(opened())
    left = shared(stage.advance(40.0006)) + shared(stage.advance(0.0004))
    assert [event.happened for event in left] == ["agreement.expired"]


def test_a_withdrawal_that_was_announced_closes_at_its_instant() -> None:
    stage, known = Stage(agreement()), agreement()
    stage.hear(opened())
    stage.advance(60)
    stage.now_agreed(withdrawn(known, NOON + timedelta(minutes=9)))
    assert shared(stage.advance(REVIEW.total_seconds())) == []
    [left] = shared(stage.advance(3 * 60))
    assert left.happened == "agreement.withdrawn"


def test_a_withdrawal_at_once_stops_the_next_event_and_closes_at_the_next_review() -> None:
    stage, known = Stage(agreement()), agreement()
    stage.hear(opened())
    stage.now_agreed(withdrawn(known, NOON))
    [left] = shared(stage.hear(updated(2, "lifecycle", lifecycle=Lifecycle.ON_SCENE)))
    assert (left.presence, left.view) == (Presence.LEFT, None)
    other = Stage(agreement())
    other.hear(opened())
    other.now_agreed()
    [left] = shared(other.advance(REVIEW.total_seconds()))
    assert left.happened == "agreement.withdrawn"


def test_a_closed_incident_is_reviewed_no_more_and_forgotten_after_ninety_days() -> None:
    stage = Stage(agreement(valid_until=NOON + timedelta(days=1)))
    stage.hear(opened())
    stage.hear(CLOSED)
    assert stage.advance(2 * 24 * 3600) == []
    assert stage.state(INCIDENT) != Audience()
    assert stage.advance(FORGET.total_seconds()) == []
    assert stage.state(INCIDENT) == Audience()


def test_an_incident_that_is_reopened_goes_on_numbering_and_is_reviewed_again() -> None:
    stage = Stage(agreement(valid_until=NOON + timedelta(hours=1)))
    stage.hear(opened())
    stage.hear(CLOSED)
    [again] = shared(stage.hear(updated(3, "lifecycle", lifecycle=Lifecycle.ASSIGNED)))
    assert (again.seq, again.presence) == (3, Presence.UPDATED)
    left = [event for _ in range(12) for event in shared(stage.advance(300))]
    assert [(event.seq, event.presence) for event in left] == [(4, Presence.LEFT)]


def test_an_incident_that_is_reopened_after_it_was_forgotten_is_told_of_and_reviewed_anew() -> None:
    until = NOON + 2 * FORGET + timedelta(hours=1)
    stage = Stage(agreement(valid_until=until))
    stage.hear(opened())
    assert stage.advance(REVIEW.total_seconds()) == []
    for seq in (2, 4):
        stage.hear(CLOSED.model_copy(update={"seq": seq}))
        stage.advance(FORGET.total_seconds())
        assert stage.state(INCIDENT) == Audience()
        [again] = shared(stage.hear(updated(seq + 1, "lifecycle", lifecycle=Lifecycle.ASSIGNED)))
        assert (again.seq, again.presence) == (1, Presence.ENTERED)
    left = [event for _ in range(12) for event in shared(stage.advance(REVIEW.total_seconds()))]
    assert [(event.seq, event.presence) for event in left] == [(2, Presence.LEFT)]


def test_an_incident_nobody_may_see_is_not_remembered() -> None:
    stage = Stage(agreement(areas=("10",)))
    stage.hear(opened())
    assert stage.state(INCIDENT) == Audience()


VERSIONS = st.builds(
    lambda version, start, length, fields, category: terms(
        version=version,
        valid_from=NOON + timedelta(minutes=start),
        valid_until=NOON + timedelta(minutes=start + length),
        fields=tuple(sorted(fields)),
        categories=(category,),
    ),
    st.integers(1, 3),
    st.integers(-30, 40),
    st.integers(1, 60),
    st.sets(st.sampled_from(["lifecycle", "category", "text", "tasks"]), min_size=1),
    st.sampled_from(["road_accident", "fire"]),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["road_accident", "fire", "flood"]), st.integers(0, 3), st.integers(0, 20 * 60)
    ),
    max_size=12,
)


@settings(deadline=None)
@given(versions=st.lists(VERSIONS, min_size=1, max_size=4), steps=STEPS)
def test_numbers_have_no_gap_and_presence_alternates_whatever_is_granted_when(
    versions: list[Terms], steps: list[tuple[str, int, int]]
) -> None:
    stage, told = Stage(agreement(RESCUE, *versions)), []
    for seq, (category, text, seconds) in enumerate(steps, 1):
        told += stage.hear(updated(seq, "text", category=category, text=f"{text}"))
        told += stage.advance(seconds)
        state = stage.state(INCIDENT)
        assert (state.due is not None) == bool(state.inside), "a review waits while somebody sees it"
    told += [event for _ in range(40) for event in stage.advance(300)]
    events = shared(told)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    inside = False
    for event in events:
        assert (event.presence is Presence.ENTERED) == (not inside)
        assert (event.view is None) == (event.presence is Presence.LEFT)
        inside = event.presence is not Presence.LEFT
    assert not inside, "every version has ended, so the incident has left"
