"""Deciders on the commit log: decide from the state, commit the decision, then let its events go out."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Iterable
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, Generic

from shared.bus.answers import fired, translate
from shared.bus.backoff import Backoff
from shared.bus.commits import Decided, encode_decided
from shared.bus.dead_letters import Poison
from shared.bus.decider import Decider, S
from shared.bus.draft import Draft
from shared.bus.emit import Decision, Encoder
from shared.bus.errors import DecisionTooLargeError, transient_reason
from shared.bus.journal import Changes, Journal
from shared.bus.patience import Patience, R
from shared.bus.processor import Processor, Source, Workplace
from shared.bus.stateless import poison_of, said
from shared.bus.work import Item, Outcome
from shared.contracts.event import Event, EventData
from shared.store import MAX_BODY_BYTES, StoreUnavailable
from shared.telemetry import CommitKind, log_cause
from shared.telemetry.reasons import Reason

log = logging.getLogger(__name__)

RECALLED_TOGETHER = 64
"""Causes that are read, looked up and decided before the next ones are read."""
COMMIT_BYTES = 512 * 1024
"""A commit is closed when its parts, before compression, have reached this size."""
DECISION_BYTES = MAX_BODY_BYTES - COMMIT_BYTES - 4096
"""What one cause may add, so that any commit fits its document even if nothing of it can be compressed."""
HEAD_SECONDS = 1.0
TIMER_RETRY = timedelta(seconds=10)
LATEST_SECONDS = 365 * 86_400.0
"""What was due so long ago is decided on whatever is not known yet."""


class _LogMovedError(Exception):
    """What is in memory is not what the log says: load it again."""


class _FoldError(Exception):
    """The answers to one cause could not be folded, so the state in memory is not to be trusted."""

    def __init__(self, cause: str, error: Exception) -> None:
        super().__init__(cause)
        self.cause, self.error = cause, error


class Stateful(Processor, Generic[S]):
    """One partition of a stateful consumer: its journal, and the only one who appends to it."""

    largest_slice = 500
    """A commit costs about as much as deciding a hundred records, so more go together."""

    def __init__(
        self,
        place: Workplace,
        accepted: frozenset[type[EventData]],
        decider: Decider[S],
        journal: Journal[S],
        encoder: Encoder,
    ) -> None:
        super().__init__(place, accepted)
        self._decider, self.journal, self._encoder, self._clock = decider, journal, encoder, place.clock
        self._unfoldable: dict[str, Poison] = {}
        self._background = Patience(place.metrics)
        self._saving: asyncio.Task[None] | None = None
        self._head_saved = 0.0
        self._closed = False
        self._firing: datetime | None = None
        """Since when the first of the timers that are being decided on has been due."""

    async def open(self) -> Outcome:
        """Load every key of the partition; what may not have gone out before is the outcome.

        Where this processor has closed before and nobody has appended since, what it knows is still right.
        """
        closed, self._closed = self._closed, False
        if closed and not await self.place.patience.until_done(self.journal.overtaken):
            return await super().open()
        return await self._reload()

    async def _reload(self) -> Outcome:
        started = time.monotonic()
        await self.place.patience.until_done(self.place.parking.load)
        records = await self.place.patience.until_done(self.journal.load)
        log.info(
            "loaded",
            extra={
                "stream": self.journal.stream,
                "n": self.journal.n,
                "seconds": round(time.monotonic() - started, 3),
            },
        )
        self.place.metrics.repeated.inc(len(records))
        return Outcome(records, published_n=self.journal.n)

    def delivered(self, outcome: Outcome) -> None:
        """Note that everything up to the outcome's commit is on the broker."""
        self.journal.published_n = max(self.journal.published_n, outcome.published_n)

    async def fire(self, behind: float = 0.0) -> Outcome:
        """Decide on the timers that were due `behind` real seconds ago."""
        late = timedelta(seconds=min(behind / self._clock.real_seconds(1.0), LATEST_SECONDS))
        due = self.journal.fold.due(self._clock.now() - late)
        if not due:
            return Outcome()
        self.place.metrics.timers_fired.inc(len(due))
        self._firing = due[0][1].due
        try:
            return await self._answer(lambda: [Item(key, fired(timer)) for key, timer in due])
        finally:
            self._firing = None

    def seconds_to_timer(self) -> float | None:
        """Return the real seconds until a timer is due."""
        due = self.journal.fold.next_due()
        if due is None:
            return None
        return max(0.0, self._clock.real_seconds((due - self._clock.now()).total_seconds()))

    def timers(self) -> tuple[int, float]:
        """Return how many timers wait, and for how many of the clock's seconds the first has been due."""
        fold = self.journal.fold
        due = self._firing or fold.next_due()
        late = 0.0 if due is None else (self._clock.now() - due).total_seconds()
        return fold.timers, max(0.0, late)

    async def refresh(self) -> Outcome:
        """Load again if somebody else has appended: a zombie's commit is found though nothing comes in."""
        if await self.place.patience.until_done(self.journal.overtaken):
            return await self._reload()
        return Outcome()

    def housekeep(self) -> None:
        """Save the head every second or so, and a snapshot when enough was appended."""
        if self._saving is not None:
            if not self._saving.done():
                return
            self._saving.result()  # what no waiting heals has lost changes that only a restart finds again
            self.journal.let_go()
        if self.journal.snapshot_due:
            self._saving = asyncio.create_task(self._save_snapshot(self.journal.take_snapshot()))
        elif time.monotonic() - self._head_saved >= HEAD_SECONDS:
            self._head_saved = time.monotonic()
            self._saving = asyncio.create_task(self._background.until_done(self.journal.save_head))

    async def _save_snapshot(self, changes: Changes) -> None:
        at_ms = self._clock.now_ms()
        await self._background.until_done(lambda: self.journal.save_snapshot(changes, at_ms))

    def abandon(self) -> None:
        """Stop saving: an old head must not follow the next owner's."""
        if self._saving is not None:
            self._saving.cancel()

    async def close(self) -> None:
        """Save the head, so that the next owner has nothing to repeat."""
        if self._saving is not None:
            await self._saving
        await self.place.patience.until_done(self.journal.save_head)
        self._closed = True

    async def _answer(self, source: Source) -> Outcome:
        """Decide and commit; whenever the log turns out to have moved, start over from what it says.

        A store that can be read and takes no commit is waited for like one that is away.
        """
        try:
            return await self._answered(source)
        finally:
            self.place.patience.release()

    async def _answered(self, source: Source) -> Outcome:
        before, backoff = Outcome(), Backoff()
        while True:
            try:
                outcome = await self._attempt(source())
            except _FoldError as error:
                self._unfoldable[error.cause] = Poison(Reason.HANDLER_ERROR, f"evolve: {said(error.error)}")
            except (_LogMovedError, StoreUnavailable) as error:
                self._count(error)
                await backoff.wait()
            else:
                self._unfoldable.clear()
                outcome.records = before.records + outcome.records
                outcome.published_n = self.journal.n
                return outcome
            before = await self._reload()

    def _count(self, error: Exception) -> None:
        moved = isinstance(error, _LogMovedError)
        if not moved:
            self.place.patience.hold(error)
        self.place.metrics.retried.labels(Reason.COMMIT_CONFLICT if moved else Reason.STORE_UNAVAILABLE).inc()
        log.warning(
            "the commit log is loaded again", extra={"stream": self.journal.stream, "error": repr(error)}
        )

    async def _attempt(self, items: Iterable[Item]) -> Outcome:
        draft, waiting = Draft(self._clock.now_ms()), iter(items)
        while some := list(islice(waiting, RECALLED_TOGETHER)):
            if self.journal.causes.floor_ms:
                causes = [(i.event.id, i.event.time) for i in some if i.event and i.record]
                await self._waiting(self.journal.causes.recall(causes, draft.at_ms))
            await self._wake(some, draft.at_ms)
            draft.outcome.first = draft.outcome.first or some[0].seen
            for item in some:
                if (decided := await self._decide(item, draft)) is not None:
                    draft.add(*decided)
                if draft.size >= COMMIT_BYTES:
                    await self._commit(draft)
        log_cause.set(None)
        if draft.parts:
            await self._commit(draft)
        parks = bool(draft.outcome.parked)
        if parks and await self._waiting(self.journal.overtaken()):
            raise _LogMovedError  # whoever owns the key by now may have opened it
        return draft.outcome

    async def _wake(self, items: Iterable[Item], at_ms: int) -> None:
        """Have in memory whatever these causes may be about."""
        if self._decider.rest is None:
            return
        keys = {item.key for item in items if item.key is not None and self._may_rest(item, item.key)}
        if keys:
            found = self.place.patience.until_done(lambda: self.journal.wake(keys, at_ms))
            await self._waiting(found)

    def _may_rest(self, item: Item, key: str) -> bool:
        """Whether the item will be decided and its key may rest; one that is replayed comes late."""
        if item.event is None or key in self.journal.fold or item.event.id in self.journal.causes:
            return False
        replayed = item.record is not None and self.place.parking.is_replay(item.record)
        return replayed or not self._decider.begins(item.event)

    async def _waiting(self, step: Awaitable[R]) -> R:
        started = time.perf_counter()
        try:
            return await step
        finally:
            self.waited += time.perf_counter() - started

    async def _commit(self, draft: Draft) -> None:
        if not await self._waiting(self.journal.append(draft.causes, draft.parts, draft.at_ms)):
            raise _LogMovedError
        self.place.metrics.commits.labels(CommitKind.LOG).inc()
        draft.close()

    async def _decide(self, item: Item, draft: Draft) -> tuple[Decided, bytes] | None:
        """Decide one cause, encode and fold it; None when it was done before, has to wait, or is poison."""
        if item.event is not None and self._known(item, item.event, draft):
            return None
        if self._held(item, draft.outcome):
            return None
        poison = item.poison or self._unusable(item)
        if item.event is not None and item.key is not None and poison is None:
            try:
                decided = await self._answers(item.key, item.event, draft)
                part = _checked(encode_decided(decided))
            except Exception as error:  # noqa: BLE001  (whatever a decider raises is judged here)
                poison = poison_of(error)
            else:
                self._fold(decided)
                return decided, part
        self._set_aside(item, poison, draft)
        return None

    def _known(self, item: Item, event: Event[Any], draft: Draft) -> bool:
        if item.record is None:  # an earlier cause of the slice may have stopped or moved the timer
            return item.key is None or not self.journal.fold.runs(event.time, event.id, item.key)
        if event.id not in self.journal.causes and event.id not in draft.seen:
            return False
        self.place.metrics.redone.labels(item.record.topic).inc()
        return True

    def _unusable(self, item: Item) -> Poison | None:
        if item.event is not None and item.event.id in self._unfoldable:
            return self._unfoldable[item.event.id]
        if item.key is None:
            return Poison(Reason.MISSING_KEY, "a stateful consumer needs the key to know whose state it is")
        return None

    async def _answers(self, key: str, event: Event[Any], draft: Draft) -> Decided:
        state = self.journal.fold[key].state
        log_cause.set(event)
        try:
            decisions = list(self._decider.decide(state, event, draft.now))
        except Exception as error:
            if transient_reason(error) is None:
                raise
            decisions = await self.place.patience.until_done(partial(self._ask, state, event, draft.now))
        answers = translate(self._encoder, event, decisions, draft.wire_time, self.journal.causes, draft.seen)
        return Decided(key, event.id, tuple(answers))

    async def _ask(self, state: S, event: Event[Any], now: datetime) -> list[Decision]:
        return list(self._decider.decide(state, event, now))

    def _fold(self, decided: Decided) -> None:
        try:
            self.journal.fold.apply(decided)
        except Exception as error:
            raise _FoldError(decided.cause, error) from error

    def _set_aside(self, item: Item, poison: Poison | None, draft: Draft) -> None:
        assert poison is not None
        if item.record is not None:
            self._bury(item, poison, draft.outcome)
        elif item.event is not None and item.key is not None:
            self.place.metrics.failed.labels("timer", poison.reason).inc()
            log.error("a timer's decision failed; it is tried again", extra={"reason": poison.reason.value})
            timer = self.journal.fold[item.key].timers[item.event.id]
            self.journal.fold.postpone(item.key, timer, self._clock.now() + TIMER_RETRY)


def _checked(part: bytes) -> bytes:
    if len(part) > DECISION_BYTES:
        raise DecisionTooLargeError(
            f"{len(part)} bytes of answers; one decision has at most {DECISION_BYTES}"
        )
    return part
