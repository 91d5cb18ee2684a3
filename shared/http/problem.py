"""Errors at the edge as RFC 9457 problem details: what is wrong, with which field, and what to do."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
_NAME = re.compile(r"[A-Za-z_-]{1,40}").fullmatch


class Problem(Exception):  # noqa: N818  (RFC 9457's word)
    """An answer other than the one hoped for. `code` is one word that programs can rely on."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.headers = errors, headers

    def response(self) -> JSONResponse:
        """Return the answer on the wire."""
        body: dict[str, Any] = {
            "type": f"urn:ruamjai:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = list(self.errors)
        return JSONResponse(body, self.status, self.headers, MEDIA_TYPE)


async def on_problem(_: Request, error: Exception) -> JSONResponse:
    """Answer a Problem that a handler raised."""
    assert isinstance(error, Problem)
    return error.response()


async def on_invalid(_: Request, error: Exception) -> JSONResponse:
    """Answer a request that does not fit its model: each field with its reason, never the value."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()[:20]
    if any(problem["type"] == "json_invalid" for problem in found):
        return Problem(400, "malformed", "the body is not JSON; mend it and send it again").response()
    errors = [{"field": ".".join(map(_part, p["loc"])), "reason": str(p["msg"])} for p in found]
    detail = "the request does not fit; mend the fields listed and send it again"
    return Problem(422, "invalid_request", detail, errors=errors).response()


async def on_http(_: Request, error: Exception) -> JSONResponse:
    """Answer what the framework refuses by itself, such as an unknown path."""
    assert isinstance(error, HTTPException)
    return Problem(error.status_code, "refused", str(error.detail), headers=error.headers).response()


async def on_error(_: Request, __: Exception) -> JSONResponse:
    """Answer when our own code failed; the server logs the error."""
    return Problem(500, "internal", "this is our mistake; try again later").response()


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what an operation's `responses=` says of these errors in the OpenAPI document."""
    return {status: _documented(status) for status in statuses}


def _documented(status: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": SCHEMA}},
    }
    if status in (429, 503):
        found["headers"] = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}}
    return found


SCHEMA: Mapping[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457 problem details",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "`urn:ruamjai:problem:<code>`"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong and what to do"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "reason"],
                "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
    },
}


def _part(part: str | int) -> str:
    """Return one part of a field's place; a name that could not be one of ours may be somebody's data."""
    return str(part) if isinstance(part, int) or _NAME(part) else "?"
