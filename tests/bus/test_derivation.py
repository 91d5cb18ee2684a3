"""An answer is named after its cause; consumers that answer alike never give one name to two facts."""

from shared.bus import Emit
from shared.bus.emit import Encoder
from shared.bus.testing import event_of
from shared.contracts import Event, ReportReceived, Topic
from shared.contracts.ids import derived_id
from tests.bus.support import header, report

OUT = Topic("out", key="-")


def named(cause: Event[ReportReceived], answered_by: str = "") -> str:
    """The id that an answer to `cause` goes out with."""
    [record] = Encoder("tester").records(cause, [Emit(OUT, report(), "k", answered_by)])
    return (header(record, "ce_id") or b"").decode()


def test_an_answer_is_named_after_its_cause_alone_unless_it_says_who_answers() -> None:
    cause = event_of(report())
    assert named(cause) == derived_id(cause.id, cause.type, cause.subject, 0)


def test_consumers_that_answer_one_event_alike_name_their_answers_apart_and_always_the_same() -> None:
    cause = event_of(report())
    assert len({named(cause), named(cause, "hook"), named(cause, "other")}) == 3
    assert named(cause, "hook") == named(cause, "hook")


def test_no_cause_can_be_called_so_that_its_answers_take_anothers_names() -> None:
    plain = event_of(report(), id="a")
    for separator in ("/", ":", "-"):
        assert named(event_of(report(), id=f"a{separator}hook")) != named(plain, "hook")
