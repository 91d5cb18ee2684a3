"""Identifiers: the same work is always named the same, two different events never are."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.ids import NAMESPACE, derived_id, new_id, timer_id
from tests.contracts.strategies import IDS

# Few letters and short words, so that joining them in different places is tried again and again.
PARTS = st.text("ab.-:0", min_size=1, max_size=3)
DERIVATIONS = st.tuples(PARTS, PARTS, PARTS, st.integers(0, 11))


@given(IDS, IDS, IDS, st.integers(0, 10_000))
def test_a_derived_id_is_the_uuid5_of_its_cause_type_subject_and_ordinal(
    cause: str, event_type: str, subject: str, ordinal: int
) -> None:
    expected = uuid5(UUID(str(NAMESPACE)), "\0".join([cause, event_type, subject, str(ordinal)]))
    assert derived_id(cause, event_type, subject, ordinal) == str(expected)


@given(IDS, IDS, st.integers(0, 10_000))
def test_a_timers_id_is_the_uuid5_of_its_subject_kind_and_attempt(
    subject: str, kind: str, attempt: int
) -> None:
    assert timer_id(subject, kind, attempt) == str(
        uuid5(UUID(str(NAMESPACE)), f"{subject}\0{kind}\0{attempt}")
    )


@given(st.sets(DERIVATIONS, max_size=60))
def test_two_events_of_one_cause_never_share_an_id(derivations: set[tuple[str, str, str, int]]) -> None:
    assert len({derived_id(*parts) for parts in derivations}) == len(derivations)


@given(st.sets(DERIVATIONS, max_size=20), st.sets(st.tuples(PARTS, PARTS, st.integers(0, 11)), max_size=20))
def test_a_timer_never_shares_an_id_with_an_event(
    derivations: set[tuple[str, str, str, int]], timers: set[tuple[str, str, int]]
) -> None:
    names = {derived_id(*parts) for parts in derivations} | {timer_id(*parts) for parts in timers}
    assert len(names) == len(derivations) + len(timers)


def test_a_root_id_is_a_uuid7_of_this_moment_and_sorts_by_it() -> None:
    before = datetime.now(UTC).timestamp() * 1000
    ids = [new_id() for _ in range(1_000)]
    after = datetime.now(UTC).timestamp() * 1000
    assert {UUID(text).version for text in ids} == {7}
    assert len(set(ids)) == len(ids)
    assert int(before) <= UUID(ids[0]).int >> 80 <= UUID(ids[-1]).int >> 80 <= after
    assert [text[:13] for text in ids] == sorted(text[:13] for text in ids)
