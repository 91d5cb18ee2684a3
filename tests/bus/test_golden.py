"""What an earlier release stored is still loaded, and means what it meant."""

import json
import zlib

import pytest

from shared.bus.commits import Emitted, decode_body
from shared.bus.fold import Fold
from shared.store import Snapshot
from tests.bus import stored
from tests.bus.tally import Sum, Tally


def test_a_stored_commit_is_loaded_and_means_what_it_meant() -> None:
    assert list(decode_body(stored.stored_body())) == [stored.decided()]


def test_a_stored_commits_events_go_out_again_byte_for_byte() -> None:
    [decided] = decode_body(stored.stored_body())
    [document] = json.loads(zlib.decompress(stored.stored_body()))
    emitted = [answer for answer in decided.answers if isinstance(answer, Emitted)]
    assert emitted
    for answer, kept in zip(emitted, document["answers"], strict=False):
        assert json.loads(answer.record.value or b"") == kept["data"]
        assert answer.record.headers == [(n, v.encode()) for n, v in kept["emit"][2].items()]


def test_a_stored_snapshot_is_loaded_with_its_timers() -> None:
    fold = Fold(Tally())
    fold.restore(Snapshot("tester/0", "d1", 400, stored.stored_snapshot()))
    assert fold["d1"].state == Sum(total=7, told=("a", "b"))
    assert fold["d1"].timers == {stored.TIMER.id: stored.TIMER}
    assert fold.next_due() == stored.TIMER.due


def test_what_is_written_today_is_what_was_written_then() -> None:
    assert stored.snapshot() == stored.stored_snapshot()


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"emit"', b'"send"'), (b"incident.opened.v1", b"incident.opened.v0"), (b'"view"', b'"body"')],
    ids=["another word for an answer", "a type that is gone", "a field with another name"],
)
def test_a_breaking_edit_goes_red(old: bytes, new: bytes) -> None:
    text = zlib.decompress(stored.stored_body())
    assert old in text
    with pytest.raises((ValueError, KeyError)):
        list(decode_body(zlib.compress(text.replace(old, new))))


def test_a_state_that_lost_a_field_goes_red() -> None:
    fold = Fold(Tally())
    edited = stored.stored_snapshot().replace(b'"timers"', b'"alarms"')
    with pytest.raises(KeyError):
        fold.restore(Snapshot("tester/0", "d1", 400, edited))
