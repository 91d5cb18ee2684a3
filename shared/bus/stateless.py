"""Handlers without state: one event at a time, or a batch at a time that falls back to one at a time."""

import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from types import CoroutineType
from typing import Any, cast

from shared.bus.dead_letters import Poison
from shared.bus.emit import Emit, Encoder, TooLargeError
from shared.bus.errors import DecisionTooLargeError, transient_reason
from shared.bus.processor import Processor, Source, Workplace
from shared.bus.work import Item, Outcome
from shared.contracts.event import Event, EventData
from shared.contracts.kafka import Record
from shared.telemetry import log_cause
from shared.telemetry.exceptions import message_of
from shared.telemetry.reasons import Reason

log = logging.getLogger(__name__)

Emits = Iterable[Emit] | None
EachHandler = Callable[[Event[Any]], Emits | Coroutine[Any, Any, Emits]]
BatchHandler = Callable[[Sequence[Event[Any]]], Sequence[Emits] | Coroutine[Any, Any, Sequence[Emits]]]


class Each(Processor):
    """Calls a handler with one event after the other."""

    def __init__(
        self, place: Workplace, accepted: frozenset[type[EventData]], handler: EachHandler, encoder: Encoder
    ) -> None:
        super().__init__(place, accepted)
        self._handler = handler
        self._encoder = encoder

    async def _answer(self, source: Source) -> Outcome:
        outcome = Outcome()
        for item in source():
            event = item.event
            if event is None:
                await self._set_aside(item, item.poison, outcome)
            elif not self._held(item, outcome):
                outcome.first = outcome.first or item.seen
                log_cause.set(event)
                try:
                    emits = self._handler(event)
                    if isinstance(emits, CoroutineType):
                        emits = await emits
                    outcome.records += self._encoder.records(event, cast("Emits", emits) or ())
                except Exception as error:  # noqa: BLE001  (whatever a handler raises is judged here)
                    await self._after(error, item, event, outcome)
        log_cause.set(None)
        return outcome

    async def _after(self, error: Exception, item: Item, event: Event[Any], outcome: Outcome) -> None:
        """Wait and ask again if that may help; what stays an error makes the event poison."""
        if transient_reason(error) is not None:
            try:
                outcome.records += await self.place.patience.until_done(partial(self._records, event))
            except Exception as final:  # noqa: BLE001  (as above)
                error = final
            else:
                return
        await self._set_aside(item, poison_of(error), outcome)

    async def _set_aside(self, item: Item, poison: Poison | None, outcome: Outcome) -> None:
        if not self._held(item, outcome):
            assert poison is not None
            self._bury(item, poison, outcome)

    async def _records(self, event: Event[Any]) -> list[Record]:
        emits = self._handler(event)
        if isinstance(emits, CoroutineType):
            emits = await emits
        return self._encoder.records(event, cast("Emits", emits) or ())


class Batch(Each):
    """Calls a handler with all events of a slice; it answers with one list of emits per event, in order."""

    def __init__(
        self, place: Workplace, accepted: frozenset[type[EventData]], handler: BatchHandler, encoder: Encoder
    ) -> None:
        super().__init__(place, accepted, self._alone, encoder)
        self._batch = handler

    async def _answer(self, source: Source) -> Outcome:
        items = list(source())
        events = [item.event for item in items if item.event is not None]
        if events and len(events) == len(items) and not self.place.parking.closed:
            try:
                outcome = await self.place.patience.until_done(lambda: self._together(events))
            except Exception:  # noqa: BLE001  (which of them it was is found out one by one)
                self.place.metrics.retried.labels(Reason.HANDLER_RETRY).inc()
            else:
                outcome.first = items[0].seen
                return outcome
        return await super()._answer(lambda: items)

    async def _together(self, events: Sequence[Event[Any]]) -> Outcome:
        answers = await self._call(events)
        pairs = zip(events, answers, strict=True)
        records = [record for event, emits in pairs for record in self._encoder.records(event, emits or ())]
        return Outcome(records)

    async def _alone(self, event: Event[Any]) -> Emits:
        [emits] = await self._call([event])
        return emits

    async def _call(self, events: Sequence[Event[Any]]) -> Sequence[Emits]:
        answers = self._batch(events)
        if isinstance(answers, CoroutineType):
            started = time.perf_counter()
            try:
                answers = await answers
            finally:  # an async handler is there to wait for its store, once for all of them
                self.waited += time.perf_counter() - started
        return cast("Sequence[Emits]", answers)


def said(error: Exception) -> str:
    """Return what `error` says of itself, without the input that some kinds quote."""
    return f"{type(error).__name__}: {message_of(error)}"


def poison_of(error: Exception) -> Poison:
    """Return why an event is poison whose handler raised `error`."""
    if isinstance(error, TooLargeError):
        return Poison(Reason.TOO_LARGE, str(error))
    if isinstance(error, DecisionTooLargeError):
        return Poison(Reason.DECISION_TOO_LARGE, str(error))
    log.error("a handler failed", exc_info=error)
    return Poison(Reason.HANDLER_ERROR, said(error))
