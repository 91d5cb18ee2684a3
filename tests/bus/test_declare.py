"""What is wrong with a declaration is said when it is made, not when the first record comes."""

import logging
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, ClassVar

import pytest

from shared.bus import Emit, Service, launch
from shared.bus.runtime import EXIT_CONFIGURATION
from shared.bus.turnstile import Hurry
from shared.contracts import Event, EventData, IncidentOpened, ReportReceived, topics
from shared.contracts.topics import Topic


def test_a_handler_without_an_annotated_event_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="needs an annotated event"):

        @Service("s").on(topics.INCIDENTS)
        def handle(event) -> list[Emit]:  # type: ignore[no-untyped-def]
            return []


def test_one_group_has_one_handler() -> None:
    def handle(event: Event[IncidentOpened]) -> list[Emit]:
        return []

    service = Service("s")
    service.on(topics.INCIDENTS)(handle)
    with pytest.raises(ValueError, match="its own group="):
        service.on(topics.REPORTS_RECEIVED)(handle)


@pytest.mark.parametrize(
    ("gather", "hurry", "marked"),
    [(0.0, Hurry.WAITED_FOR, True), (0.05, Hurry.WAITED_FOR, True), (0.25, Hurry.NOBODY_WAITS, False)],
)
def test_who_lets_records_gather_for_long_is_waited_for_by_nobody(
    gather: float, hurry: Hurry, *, marked: bool
) -> None:
    def handle(events: Sequence[Event[IncidentOpened]]) -> list[list[Emit]]:
        return [[] for _ in events]

    service = Service("s")
    service.on_batch(topics.INCIDENTS, gather=gather)(handle)
    [made], name = service.subscriptions, topics.INCIDENTS.name
    assert (made.hurry(name), made.overtaking(name) is not None) == (hurry, marked)


@pytest.fixture
def _own_logging() -> Iterator[None]:
    """What a service that starts makes of the root logger ends with the test, as its standard output does."""
    yield
    root = logging.getLogger()
    root.handlers[:] = [handler for handler in root.handlers if type(handler) is not logging.StreamHandler]


def opened(event: Event[IncidentOpened]) -> list[Emit]:
    return []


def received(event: Event[ReportReceived]) -> list[Emit]:
    return []


def without_envelope(event: IncidentOpened) -> list[Emit]:
    return []


async def yielding(event: Event[IncidentOpened]) -> AsyncIterator[Emit]:
    return
    yield


@pytest.mark.parametrize(
    ("handler", "topic", "options", "said"),
    [
        (received, topics.INCIDENTS, {}, "takes no event of incidents"),
        (opened, "incidents", {}, "at least one topic"),
        (opened, topics.INCIDENTS, {"on_poison": "drop"}, "skip, park"),
        (without_envelope, topics.INCIDENTS, {}, "must be Event"),
        (yielding, topics.INCIDENTS, {}, "return a list"),
    ],
)
def test_what_can_never_work_is_refused_at_once(
    handler: Any, topic: Any, options: dict[str, Any], said: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        Service("s").on(topic, **options)(handler)


def test_a_topic_whose_events_have_no_such_key_is_refused() -> None:
    with pytest.raises(ValueError, match="'incident'"):
        Topic("calls", key="incident", types=(IncidentOpened.type,))


def test_an_event_whose_subject_is_no_field_is_refused() -> None:
    with pytest.raises(TypeError, match="'nope'"):

        class Strange(EventData):
            type: ClassVar[str] = "th.ruamjai.strange.happened.v1"
            subject_field: ClassVar[str] = "nope"


@pytest.mark.usefixtures("_own_logging")
def test_a_service_with_nothing_to_run_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("KAFKA_URL", "localhost:9")
    with pytest.raises(SystemExit) as stopped:
        launch("empty", lambda _: Service("empty"))
    assert stopped.value.code == EXIT_CONFIGURATION
    assert "neither a handler nor a part" in caplog.text


@pytest.mark.usefixtures("_own_logging")
def test_a_port_that_is_taken_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = Service("taken")
    service.on(topics.INCIDENTS)(opened)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        for name, value in {"KAFKA_URL": "localhost:9", "HTTP_HOST": "127.0.0.1", "HTTP_PORT": port}.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as stopped:
            service.run()
    assert stopped.value.code == EXIT_CONFIGURATION
    assert f"HTTP_PORT {port}" in capsys.readouterr().out
