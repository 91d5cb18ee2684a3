"""From what a decider says to what a commit records, and from a timer to the cause that its firing is."""

from collections.abc import Container, Iterable, Iterator
from datetime import datetime
from typing import Any

from shared.bus.commits import Answer, Emitted, Kept, TimerCancelled, TimerSet
from shared.bus.emit import Cancel, Decision, Emit, Encoder, Keep, Timer, TimerFired
from shared.contracts.event import Event


def translate(
    encoder: Encoder,
    cause: Event[Any],
    decisions: Iterable[Decision],
    now: datetime | bytes,
    *done: Container[str],
) -> Iterator[Answer]:
    """Yield the answers to `cause`, decided at `now`, as they are stored.

    Raises ValueError for a timer whose id is among the `done` causes: it would never fire.
    """
    for ordinal, decision in enumerate(decisions):
        match decision:
            case Emit(data=data):
                yield Emitted(encoder.record(cause, decision, ordinal, now), data)
            case Keep(data):
                yield Kept(data)
            case Timer():
                if decision.id == cause.id or any(decision.id in causes for causes in done):
                    raise ValueError(f"{decision} has fired already: give it the next attempt number")
                yield TimerSet(decision)
            case Cancel():
                yield TimerCancelled(decision.id)


def fired(timer: Timer) -> Event[TimerFired]:
    """Return the cause that `timer` is when it is due; its time is the instant it was due."""
    data = TimerFired(about=timer.subject, kind=timer.kind, attempt=timer.attempt, due=timer.due)
    return Event(timer.id, "/ruamjai/timer", data.type, timer.subject, timer.due, None, data)
