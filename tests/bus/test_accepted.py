"""What a handler takes is read from its annotation; one that says nothing is an error at once."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from shared.bus import Emit, Service, TimerFired
from shared.bus.accepted import accepted_by
from shared.contracts import (
    REGISTRY,
    CommandRequested,
    Event,
    ReportErased,
    ReportLocated,
    ReportReceived,
    TaskAcknowledged,
    TaskAssigned,
    TaskCompleted,
    TaskEscalated,
)
from shared.contracts.task import TaskEvent
from tests.bus.tally import IN, Tally


def one(event: Event[ReportReceived]) -> None: ...
def either(event: Event[ReportReceived | ReportErased]) -> None: ...
def either_event(event: Event[ReportReceived] | Event[ReportLocated]) -> None: ...
def many(events: Sequence[Event[ReportReceived | ReportErased]]) -> None: ...
def any_kind(event: Event[TaskEvent]) -> None: ...
def anything(event: Event[Any]) -> None: ...
def bare(event: Event) -> None: ...  # type: ignore[type-arg]


@pytest.mark.parametrize(
    ("handler", "bodies"),
    [
        (one, {ReportReceived}),
        (either, {ReportReceived, ReportErased}),
        (either_event, {ReportReceived, ReportLocated}),
        (many, {ReportReceived, ReportErased}),
        (any_kind, {TaskAssigned, TaskAcknowledged, TaskEscalated, TaskCompleted}),
    ],
)
def test_the_annotation_says_what_a_handler_takes(handler: Callable[..., Any], bodies: set[type]) -> None:
    assert accepted_by(handler) == bodies


@pytest.mark.parametrize("handler", [anything, bare])
def test_an_event_of_anything_is_every_event_there_is(handler: Callable[..., Any]) -> None:
    assert accepted_by(handler) == set(REGISTRY.all())


def test_a_deciders_event_is_its_second_argument() -> None:
    assert accepted_by(Tally().decide, 1) == {CommandRequested, TimerFired}


def unannotated(event): ...  # type: ignore[no-untyped-def]
def wrong(event: str) -> None: ...
def no_argument() -> None: ...


@pytest.mark.parametrize("handler", [unannotated, wrong, no_argument])
def test_an_annotation_that_names_no_event_is_refused(
    handler: Callable[..., Any],
) -> None:
    with pytest.raises(TypeError, match=handler.__name__):
        accepted_by(handler)


def test_two_handlers_of_one_group_are_refused_when_they_are_declared() -> None:
    service = Service("twice")

    @service.on(IN)
    def first(event: Event[CommandRequested]) -> Iterable[Emit]:
        return []

    with pytest.raises(ValueError, match="second: group 'twice' has a handler already"):

        @service.on(IN)
        def second(event: Event[CommandRequested]) -> Iterable[Emit]:
            return []


def test_a_handler_without_a_topic_is_refused_when_it_is_declared() -> None:
    with pytest.raises(ValueError, match="Tally needs at least one topic"):
        Service("none").decide(by=Tally())
