"""Errors at the edge as RFC 9457 problem details: what is wrong, with which field, and what to do."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


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
    errors = [
        {"field": ".".join(str(part) for part in found["loc"]), "reason": str(found["msg"])}
        for found in error.errors()[:20]
    ]
    detail = "the request does not fit; mend the fields listed and send it again"
    return Problem(422, "invalid_request", detail, errors=errors).response()


async def on_http(_: Request, error: Exception) -> JSONResponse:
    """Answer what the framework refuses by itself, such as an unknown path."""
    assert isinstance(error, HTTPException)
    return Problem(error.status_code, "refused", str(error.detail), headers=error.headers).response()
