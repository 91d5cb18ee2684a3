"""Makes a report durable exactly once per idempotency key, and only then says so.

Walk of a report: its personal data is sealed; one insert under the identity of the request decides whether it
is new; one more puts it into the outbox and stores its tracking code, which marks it complete. A request that
finds the decision taken checks that it is the same one, completes what is missing, and gets the same answer.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.intake import draft
from services.intake.metrics import IntakeMetrics
from services.intake.outbox import KIND as OUTBOX
from services.intake.outbox import Outbox
from services.intake.report import NewReport
from services.intake.stored import Accepted, Tracked, new_code, tracking_id, waiting
from shared.clock import Clock
from shared.contracts.ids import new_id
from shared.contracts.topics import REPORTS_RECEIVED, REPORTS_RECEIVED_URGENT
from shared.sealing import KeyRing
from shared.store import Document, GroupCommit, Store, StoreError, StoreUnavailable
from shared.store.expiry import KIND as EXPIRY
from shared.store.expiry import entry
from shared.telemetry import Tracing

ACCEPTED, TRACKED = "accepted", "tracked"
KEY_KEPT = timedelta(hours=72)
CODE_KEPT = timedelta(days=90)
"""As long as the incidents themselves can be read."""
ANSWER_SECONDS = 1.5
TWIN_PAUSES = (0.01, 0.02, 0.04, 0.08, 0.16)
TWIN_MS = 2_000
"""How old a decision is at most whose maker, another replica, may still be completing it."""
MOST_AT_ONCE = 2_000
"""Requests in hand; more only gather while the store does not answer."""


class KeyReusedError(Exception):
    """The idempotency key stands for another body."""


@dataclass(frozen=True, slots=True)
class Request:
    """A report with who sent it, under which idempotency key, and the trace it belongs to."""

    caller: str
    key: str
    sent: NewReport
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class _Completion:
    """What completes a decision, in the order in which it is written."""

    waiting: Document
    agenda: tuple[Document, ...]
    tracked: Document


class Acceptance:
    """The front door's decision. `secret` keeps digests of personal data from being guessed."""

    def __init__(
        self,
        store: Store,
        keyring: KeyRing,
        outbox: Outbox,
        secret: bytes,
        clock: Clock,
        tracing: Tracing,
        metrics: IntakeMetrics,
    ) -> None:
        self._keyring, self._outbox, self._secret = keyring, outbox, secret
        self._clock, self._tracing, self._metrics = clock, tracing, metrics
        self._accepted, self._tracked = store.documents(ACCEPTED), store.documents(TRACKED)
        self._decide, self._complete = GroupCommit(self._accepted.insert), GroupCommit(self._completed)
        self._store = store
        self._running: dict[str, tuple[str, asyncio.Task[Accepted]]] = {}

    async def accept(self, request: Request) -> Accepted:
        """Return the decision on a request, durable. Twins wait for one and the same.

        Raises KeyReusedError, StoreUnavailable, and TimeoutError after ANSWER_SECONDS; after the last two
        the same request may be sent again.
        """
        identity = self._digest(f"{request.caller}\0{request.key}".encode())
        digest = self._digest(request.sent.model_dump_json().encode())
        running = self._running.get(identity) or self._start(identity, digest, request)
        if running[0] != digest:
            raise KeyReusedError
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asyncio.shield(running[1])

    def _start(self, identity: str, digest: str, request: Request) -> tuple[str, asyncio.Task[Accepted]]:
        if len(self._running) >= MOST_AT_ONCE:
            raise StoreUnavailable("too many requests wait for the store")
        task = asyncio.create_task(self._work(identity, digest, request))
        self._running[identity] = digest, task
        task.add_done_callback(lambda done: self._ended(identity, done))
        return digest, task

    def _ended(self, identity: str, task: asyncio.Task[Accepted]) -> None:
        del self._running[identity]
        if not task.cancelled():
            task.exception()  # retrieved: those who asked may have gone

    async def _work(self, identity: str, digest: str, request: Request) -> Accepted:
        started = time.time_ns()
        ours = await self._made(digest, request)
        if await self._decide.write(Document(identity, ours.body())):
            await self._finish(identity, ours)
            self._measure(ours, started, time.time_ns())
            return ours
        await self._keyring.erase(ours.report_id)  # nobody will ever hear of this one
        return await self._as_before(identity, digest)

    async def _made(self, digest: str, request: Request) -> Accepted:
        """Return the decision on a request that is new, its personal data sealed."""
        report_id, now, sent = new_id(), self._clock.now(), request.sent
        judged = draft.judge(sent)
        sealed = await self._keyring.seal(report_id, draft.personal(sent))
        event = waiting(
            REPORTS_RECEIVED_URGENT if judged.urgent else REPORTS_RECEIVED,
            draft.event_body(sent, report_id, now, judged, sealed),
            id_=report_id,
            now=now,
            urgent=judged.urgent,
            traceparent=request.traceparent or self._tracing.new_traceparent(UUID(report_id).bytes),
        )
        return Accepted(
            digest=digest, report_id=report_id, tracking_code=new_code(), status=sent.status, event=event
        )

    async def _as_before(self, identity: str, digest: str) -> Accepted:
        """Return the decision that was taken under the same key, completed if it was not."""
        body = (await self._accepted.get([identity])).get(identity)
        if body is None:
            raise StoreUnavailable("the key expires at this moment; the next request finds it free")
        found = Accepted.model_validate_json(body)
        if not hmac.compare_digest(found.digest, digest):
            raise KeyReusedError
        if not await self._is_complete(found):
            await self._finish(identity, found)
        self._metrics.repeated.inc()
        return found

    async def _is_complete(self, accepted: Accepted) -> bool:
        """Whether nothing is missing; a decision so young that its maker is still at it is waited for."""
        code, age = tracking_id(accepted.tracking_code), self._clock.now_ms() - accepted.event.at
        for pause in (0.0, *TWIN_PAUSES) if age < TWIN_MS else (0.0,):
            await asyncio.sleep(pause)
            if code in await self._tracked.get([code]):
                return True
        return False

    async def _finish(self, identity: str, accepted: Accepted) -> None:
        code, at = tracking_id(accepted.tracking_code), accepted.event.at
        tracked = Tracked(report_id=accepted.report_id, status=accepted.status)
        agenda = (entry(ACCEPTED, identity, at, KEY_KEPT), entry(TRACKED, code, at, CODE_KEPT))
        event = accepted.event
        try:
            await self._complete.write(
                _Completion(self._outbox.document(event), agenda, Document(code, tracked.body()))
            )
        except StoreError:
            self._outbox.doubt()
            raise
        self._outbox.note(event)

    async def _completed(self, parts: Sequence[_Completion]) -> list[bool]:
        agenda = [document for part in parts for document in part.agenda]
        await self._store.insert_in_order(
            [
                (OUTBOX, [part.waiting for part in parts]),
                (EXPIRY, agenda),
                (TRACKED, [part.tracked for part in parts]),
            ]
        )
        return [True] * len(parts)

    def _measure(self, accepted: Accepted, start_ns: int, end_ns: int) -> None:
        self._metrics.accepted.labels("urgent" if accepted.event.urgent else "ordinary").inc()
        self._metrics.accept_seconds.observe((end_ns - start_ns) / 1e9)
        trace = accepted.event.headers["traceparent"]
        self._tracing.span("accept report", trace, {"report_id": accepted.report_id}, start_ns, end_ns)

    def _digest(self, data: bytes) -> str:
        return hmac.new(self._secret, data, hashlib.sha256).hexdigest()
