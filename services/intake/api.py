"""The HTTP API: reports in, their status and the erasure of who sent them out."""

import asyncio
import hashlib
import re
from typing import Annotated

from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from pydantic import StringConstraints
from pydantic.json_schema import SkipJsonSchema

from services.intake.accept import ANSWER_SECONDS, Acceptance, KeyReusedError
from services.intake.accept import Request as Asked
from services.intake.callers import Door, Sender
from services.intake.limits import BY_CODE, Limits
from services.intake.metrics import IntakeMetrics
from services.intake.ordinary import KEY_SHAPE, read, shortened
from services.intake.reading import Reading
from services.intake.report import NewReport, Received
from services.intake.status import Told
from services.intake.stored import Accepted
from shared.contracts.event import TRACEPARENT
from shared.http import Problem, api, documented
from shared.store import StoreUnavailable

RETRY_SECONDS = 2
NOWHERE = "this tracking code leads to no report"
_TRACE = re.compile(TRACEPARENT).fullmatch

Token = Annotated[str, StringConstraints(pattern=KEY_SHAPE)]
IdempotencyKey = Annotated[
    Token,
    Header(
        description="New for each report, the same when it is sent again: within 72 hours the same caller "
        "gets the same answer for it",
    ),
]
DeviceId = Annotated[
    Token | SkipJsonSchema[None],
    Header(description="Who sends, where there is no API key: random, kept by the device"),
]
Traceparent = Annotated[
    str | SkipJsonSchema[None], Header(description="W3C trace context; ignored when it is not one")
]
Key = Depends(HTTPBearer(auto_error=False, description="An API key with the scope reports.write"))


def intake_api(
    acceptance: Acceptance, reading: Reading, door: Door, limits: Limits, metrics: IntakeMetrics
) -> FastAPI:
    """Return the application."""
    app = api("Ruamjai intake", "1", on_answer=lambda status: metrics.answers.labels(status).inc())
    app.add_exception_handler(StoreUnavailable, _on_store_away)
    app.add_exception_handler(TimeoutError, _on_store_away)

    async def sender(request: Request, x_device_id: DeviceId = None) -> Sender:
        return door.sender(request.headers.get("authorization"), x_device_id)

    async def ordinary(request: Request) -> Response | None:
        found = await read(request)
        if found is None:
            return None
        caller = door.sender(request.headers.get("authorization"), found.device)
        return await _take(acceptance, caller, found.key, found.report, found.traceparent)

    async def report(
        sent: NewReport,
        caller: Annotated[Sender, Depends(sender)],
        idempotency_key: IdempotencyKey,
        traceparent: Traceparent = None,
    ) -> Response:
        """Take a report: durable when answered. Send it again, with the same key, until it is."""
        return await _take(acceptance, caller, idempotency_key, sent, traceparent)

    app.router.add_api_route(
        "/v1/reports",
        report,
        methods=["POST"],
        status_code=202,
        response_model=Received,
        responses=documented(400, 401, 403, 408, 413, 415, 422, 429, 503),
        dependencies=[Key],
        openapi_extra={"security": [{}]},
        route_class_override=shortened(ordinary),
    )

    @app.get("/v1/reports/{tracking_code}", responses=documented(404, 422, 429, 503))
    async def status(tracking_code: str) -> Told:
        """Tell the reporter where the report stands."""
        limits.take(_bucket(tracking_code), BY_CODE)
        async with asyncio.timeout(ANSWER_SECONDS):
            told = await reading.told(tracking_code)
        if told is None:
            raise Problem(404, "not_found", NOWHERE)
        return told

    @app.delete(
        "/v1/reports/{tracking_code}/personal-data",
        status_code=204,
        responses=documented(404, 422, 429, 503),
    )
    async def erase(tracking_code: str) -> None:
        """Erase who reported, and their own words, for good. The report itself stays."""
        limits.take(_bucket(tracking_code), BY_CODE)
        async with asyncio.timeout(ANSWER_SECONDS):
            if not await reading.erase(tracking_code):
                raise Problem(404, "not_found", NOWHERE)

    return app


async def _take(
    acceptance: Acceptance, caller: Sender, key: str, sent: NewReport, traceparent: str | None
) -> Response:
    caller.may_report_as(sent.reporter_kind)
    try:
        accepted = await acceptance.accept(Asked(caller.name, key, sent, _trace(traceparent)))
    except KeyReusedError:
        detail = "this Idempotency-Key stands for another report; take a new one for a new report"
        raise Problem(422, "idempotency_key_reused", detail) from None
    return _received(accepted)


def _received(accepted: Accepted) -> Response:
    """Return the answer: the report is durable."""
    url = f"/v1/reports/{accepted.tracking_code}"
    told = Received(tracking_code=accepted.tracking_code, report_id=accepted.report_id, status_url=url)
    response = Response(told.model_dump_json(), 202, media_type="application/json")
    response.headers["Location"] = url
    return response


async def _on_store_away(_: Request, __: Exception) -> JSONResponse:
    detail = "nothing was lost; send the same request again"
    return Problem(503, "unavailable", detail, headers={"Retry-After": str(RETRY_SECONDS)}).response()


def _trace(header: str | None) -> str | None:
    """Return a W3C trace context, or None for anything else; ids of zeros are invalid."""
    if header is None or not _TRACE(header) or "0" * 32 in header or header[36:52] == "0" * 16:
        return None
    return header


def _bucket(code: str) -> str:
    """Return whose rate a tracking code is; codes are not kept in memory."""
    return "code:" + hashlib.sha256(code.encode()).hexdigest()
