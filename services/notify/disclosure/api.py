"""`POST /v1/disclosures`: a partner reads one sealed block; granted or refused, it is in the ledger."""

import logging
from datetime import datetime
from math import ceil
from typing import Any, Protocol

from fastapi import Depends, FastAPI, Request, Response
from fastapi.security import HTTPBearer
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import from_json

from services.notify.agreements import Agreements
from services.notify.disclosure.judge import Ruling, rule
from services.notify.disclosure.ledger import Ledger
from services.notify.disclosure.limit import Limit
from services.notify.disclosure.records import Records
from services.notify.metrics import NotifyMetrics
from shared.bus import Retry
from shared.clock import Clock
from shared.contracts.values import Code, Id, Sealed
from shared.http import ApiKeys, Problem, api, documented
from shared.sealing import KeyErasedError
from shared.store import StoreUnavailable

log = logging.getLogger(__name__)

SCOPE = "disclosures"
AGENCY = "agency:"
RETRY = {"Retry-After": "5"}
Key = Depends(HTTPBearer(auto_error=False, description=f"An agency's API key with the scope {SCOPE}"))


class Asked(BaseModel):
    """What is asked for, and what for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    incident_id: Id = Field(description="The incident the report belongs to")
    report_id: Id = Field(description="The report whose sealed block is asked for")
    purpose: Code = Field(description="Why, in one word, such as life_safety; it goes into the ledger")


class Disclosed(BaseModel):
    """The content of the block: the original text and whoever reported."""

    incident_id: Id
    report_id: Id
    agreement_id: Id
    agreement_version: int
    disclosed_at: AwareDatetime
    content: dict[str, Any]


class Unsealing(Protocol):
    """What is needed of the key ring."""

    async def unseal(self, sealed: Sealed, /) -> bytes: ...


class Disclosures:
    """One request after the other: judge, open, record, and only then answer."""

    def __init__(
        self,
        agreements: Agreements,
        records: Records,
        ring: Unsealing,
        ledger: Ledger,
        clock: Clock,
        metrics: NotifyMetrics,
    ) -> None:
        self._agreements, self._records, self._ring = agreements, records, ring
        self._ledger, self._clock, self._metrics = ledger, clock, metrics

    async def ask(self, agency: str, asked: Asked) -> Disclosed:
        """Return the block, recorded as told. Raises Problem when it is refused, recorded as withheld."""
        now = self._clock.now()
        try:
            ruling, content = await self._open(agency, asked, now)
            await self._ledger.record(agency, asked.incident_id, asked.report_id, asked.purpose, ruling, now)
        except (Retry, StoreUnavailable, TimeoutError) as error:
            self._metrics.disclosures.labels("unavailable").inc()
            log.warning("a disclosure could not be judged", extra={"error": type(error).__name__})
            raise Problem(503, "unavailable", "not now; ask again in a moment", headers=RETRY) from None
        self._metrics.disclosures.labels(ruling.reason or "granted").inc()
        if ruling.reason is not None or content is None:
            raise refusal(ruling.reason or "erased")
        assert ruling.agreement_id is not None
        assert ruling.version is not None
        return Disclosed(
            incident_id=asked.incident_id,
            report_id=asked.report_id,
            agreement_id=ruling.agreement_id,
            agreement_version=ruling.version,
            disclosed_at=now,
            content=content,
        )

    async def _open(self, agency: str, asked: Asked, now: datetime) -> tuple[Ruling, dict[str, Any] | None]:
        known = await self._records.incident(asked.incident_id)
        ruling = rule(self._agreements.book(), agency, known, asked.report_id, now)
        if ruling.reason is not None:
            return ruling, None
        sealed = await self._records.block(asked.report_id)
        try:
            content = from_json(await self._ring.unseal(sealed)) if sealed is not None else None
        except KeyErasedError:
            content = None
        except ValueError:  # changed, or no JSON: what the error says might show what is in it
            log.error("a sealed block cannot be opened", extra={"report_id": asked.report_id})  # noqa: TRY400
            return Ruling("unreadable", ruling.agreement_id, ruling.version), None
        if content is None:
            return Ruling("erased", ruling.agreement_id, ruling.version), None
        return ruling, content


def refusal(reason: str) -> Problem:
    """Return the answer for a reason; what an agency may not see does not exist for it."""
    if reason == "erased":
        return Problem(410, "erased", "the personal data of this report is not there any more")
    if reason == "unreadable":
        return Problem(409, "unreadable", "the block cannot be opened; its operator is told")
    if reason in ("unknown_incident", "no_agreement", "not_linked"):
        return Problem(404, "not_found", "there is no such report in an incident that you may see")
    return Problem(403, reason, "the agreement in effect does not grant it")


def disclosure_api(disclosures: Disclosures, keys: ApiKeys, limit: Limit) -> FastAPI:
    """Return the application."""
    app = api("Ruamjai notify", "1", max_body=4096)

    @app.post(
        "/v1/disclosures",
        responses=documented(400, 401, 403, 404, 408, 409, 410, 413, 415, 422, 429, 503),
        dependencies=[Key],
    )
    async def disclose(asked: Asked, request: Request, response: Response) -> Disclosed:
        """Read the sealed block of one report, if the agreement in effect grants `sealed` there."""
        caller = keys.caller(request.headers.get("authorization"), SCOPE)
        if not caller.name.startswith(AGENCY):
            raise Problem(403, "forbidden", "this key is not an agency's")
        if wait := limit.wait(caller.name):
            headers = {"Retry-After": str(ceil(wait))}
            raise Problem(429, "too_many_requests", "ask less often", headers=headers)
        response.headers["Cache-Control"] = "no-store"
        return await disclosures.ask(caller.name.removeprefix(AGENCY), asked)

    return app
