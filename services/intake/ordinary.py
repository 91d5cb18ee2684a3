"""Reads an ordinary report straight from its bytes; of any other request FastAPI says what is wrong with it.

FastAPI resolves each parameter, and a body by way of dictionaries: that doubles what a request costs.
"""

import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError

from services.intake.report import NewReport

KEY_SHAPE = r"^[!-~]{8,128}$"
_is_token = re.compile(KEY_SHAPE).fullmatch


@dataclass(frozen=True, slots=True)
class Ordinary:
    """The parameters of the operation, each of which fits."""

    report: NewReport
    key: str
    device: str | None
    traceparent: str | None


async def read(request: Request) -> Ordinary | None:
    """Return what was sent; None where FastAPI is to look, because something may not fit."""
    headers = request.headers
    key, device = headers.get("idempotency-key", ""), headers.get("x-device-id")
    if headers.get("content-type") != "application/json" or not _is_token(key):
        return None
    if device is not None and not _is_token(device):
        return None
    try:
        report = NewReport.model_validate_json(await request.body())
    except ValidationError:
        return None
    return Ordinary(report, key, device, headers.get("traceparent"))


def shortened(answer: Callable[[Request], Awaitable[Response | None]]) -> type[APIRoute]:
    """Return a kind of route that asks `answer` first, and FastAPI when that gives none."""

    class Shortened(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            thorough = super().get_route_handler()

            async def handle(request: Request) -> Response:
                return await answer(request) or await thorough(request)

            return handle

    return Shortened
