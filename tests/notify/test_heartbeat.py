"""A heartbeat a minute: the same one from every replica, and only where somebody listens."""

from datetime import timedelta

from services.notify.book import Book
from services.notify.heartbeat import due_agencies, heartbeat, last_beat
from shared.bus.testing import NOON
from shared.contracts import AgencyHeartbeat, decode
from tests.notify.support import agreement, withdrawn


def test_two_replicas_say_the_same_of_one_minute() -> None:
    early, late = NOON + timedelta(seconds=1), NOON + timedelta(seconds=59)
    assert last_beat(early) == last_beat(late) == NOON
    assert heartbeat("rescue", last_beat(early), "/s") == heartbeat("rescue", last_beat(late), "/s")
    assert (
        heartbeat("rescue", NOON, "/s").headers
        != heartbeat("rescue", NOON + timedelta(minutes=1), "/s").headers
    )
    assert heartbeat("rescue", NOON, "/s").headers != heartbeat("hospital", NOON, "/s").headers


def test_it_says_by_when_the_next_one_comes() -> None:
    record = heartbeat("rescue", NOON, "/ruamjai/notify")
    assert (record.topic, record.key) == ("agency.rescue.incidents", b"rescue")
    assert record.value is not None
    data = decode(record.value, record.headers).data
    assert isinstance(data, AgencyHeartbeat)
    assert data.next_by - data.sent_at > timedelta(minutes=1)


def test_only_agencies_with_an_agreement_in_effect_get_one() -> None:
    known = [agreement(), agreement("over", valid_until=NOON), withdrawn(agreement("gone"), NOON)]
    assert due_agencies(Book(known), NOON) == ["rescue"]
