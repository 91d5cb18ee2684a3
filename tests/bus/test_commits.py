"""A commit says the same for ever: what is read back, and published again, is what went out."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.bus.commits import (
    Answer,
    Decided,
    Emitted,
    Kept,
    TimerCancelled,
    TimerSet,
    decode_body,
    encode_body,
    encode_decided,
)
from shared.bus.emit import Emit, Encoder, Timer
from shared.contracts import Event, EventData, Topic, decode
from shared.contracts.ids import timer_id
from shared.contracts.values import GeoPoint
from tests.bus.support import NOW, report
from tests.bus.tally import Added, command
from tests.contracts.strategies import MILLISECONDS, NO_CONTROL, bodies

TEXT = st.text(NO_CONTROL, min_size=1, max_size=20)
TIMERS = st.builds(Timer, TEXT, TEXT, MILLISECONDS, st.integers(1, 10))


def cause() -> Event[EventData]:
    record = command("add", note=1)
    return decode(record.value, record.headers)


def emitted(data: EventData, key: str = "k") -> Emitted:
    return Emitted(Encoder("tester").record(cause(), Emit(Topic("out", key="-"), data, key), 0, NOW), data)


def answers() -> st.SearchStrategy[Answer]:
    return st.one_of(
        st.builds(emitted, bodies(), TEXT),
        bodies().map(Kept),
        TIMERS.map(TimerSet),
        st.builds(TimerCancelled, TEXT),
    )


def restored(*parts: Decided) -> list[Decided]:
    return list(decode_body(encode_body([encode_decided(part) for part in parts])))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.builds(Decided, TEXT, TEXT, st.lists(answers(), max_size=3).map(tuple)), max_size=3))
def test_what_is_read_back_is_what_was_decided(parts: list[Decided]) -> None:
    assert restored(*parts) == parts


@settings(max_examples=300, deadline=None)
@given(bodies())
def test_a_republished_event_is_byte_for_byte_what_the_encoder_made(data: EventData) -> None:
    first = emitted(data)
    [decided] = restored(Decided("k", "c", (first,)))
    [again] = decided.answers
    assert isinstance(again, Emitted)
    assert again.record == first.record


@pytest.mark.parametrize("number", [0.1, 5e-324, -0.0, 16.0, 1 / 3, 16.419000000000004, 1e-7])
def test_numbers_keep_their_spelling(number: float) -> None:
    first = emitted(report(point=GeoPoint(lat=number, lon=-number)))
    assert restored(Decided("k", "c", (first,)))[0].answers == (first,)


def test_a_body_is_compressed() -> None:
    parts = [encode_decided(Decided("k", str(n), (emitted(Added(desk="d1", amount=n)),))) for n in range(100)]
    assert len(encode_body(parts)) < sum(map(len, parts)) / 5


def test_a_timers_instant_is_kept_to_the_millisecond() -> None:
    due = datetime(2026, 1, 1, 0, 0, 0, 123_000, tzinfo=UTC) + timedelta(days=1)
    [decided] = restored(Decided("k", "c", (TimerSet(Timer("s", "k", due, 2)), TimerCancelled("x"))))
    assert decided.answers == (TimerSet(Timer("s", "k", due, 2)), TimerCancelled("x"))
    assert Timer("s", "k", due, 2).id == timer_id("s", "k", 2)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_a_timer_is_due_at_the_first_millisecond_not_before_its_instant(instant: datetime) -> None:
    timer = Timer("s", "k", instant)
    assert timedelta() <= timer.due - instant < timedelta(milliseconds=1)
    [decided] = restored(Decided("k", "c", (TimerSet(timer),)))
    assert decided.answers == (TimerSet(timer),)


def test_an_answer_of_a_newer_release_is_refused_by_name() -> None:
    body = encode_body([b'{"key":"k","cause":"c","answers":[{"teleport":1}]}'])
    with pytest.raises(ValueError, match=r"answer this release does not know: \['teleport'\]"):
        list(decode_body(body))


def test_an_event_type_of_a_newer_release_is_refused_by_name() -> None:
    body = encode_body([b'{"key":"k","cause":"c","answers":[{"keep":"th.ruamjai.x.y.v9","data":{}}]}'])
    with pytest.raises(ValueError, match=r"th.ruamjai.x.y.v9.*does not know"):
        list(decode_body(body))
