"""A FastAPI application with the platform's errors and bounds."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.problem import Problem, on_http, on_invalid, on_problem

MAX_BODY_BYTES = 64 * 1024


def api(title: str, version: str, max_body: int = MAX_BODY_BYTES) -> FastAPI:
    """Return an application that answers errors with problem details and refuses bodies above `max_body`."""
    app = FastAPI(title=title, version=version, redoc_url=None)
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_middleware(Bounded, most=max_body)
    return app


class Bounded:
    """Refuses bodies that are too large before they are in memory, whatever their Content-Length says."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        got = 0

        async def bounded() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > self._most:
                raise Problem(413, "too_large", f"a body has at most {self._most} bytes")
            return message

        try:
            await self._app(scope, bounded, send)
        except Problem as problem:
            await problem.response()(scope, receive, send)
