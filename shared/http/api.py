"""A FastAPI application with the platform's errors and bounds."""

import asyncio
from collections.abc import Callable

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.problem import Problem, on_error, on_http, on_invalid, on_problem

MAX_BODY_BYTES = 64 * 1024
READ_SECONDS = 10.0
"""How long a client may take to send its body."""

OnAnswer = Callable[[int], None]


def api(
    title: str, version: str, max_body: int = MAX_BODY_BYTES, on_answer: OnAnswer | None = None
) -> FastAPI:
    """Return an application that answers errors with problem details and refuses bodies above `max_body`.

    `on_answer` is called with the status of each answer.
    """
    app = FastAPI(title=title, version=version, redoc_url=None)
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_error)
    app.add_middleware(Bounded, most=max_body)
    if on_answer is not None:
        app.add_middleware(Counted, on_answer=on_answer)
    return app


class Bounded:
    """Reads a body before anything looks at it, and refuses one that is too large, too slow or no JSON."""

    def __init__(self, app: ASGIApp, most: int, seconds: float = READ_SECONDS) -> None:
        self._app, self._most, self._seconds = app, most, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._read(receive)
        except Problem as problem:
            return await problem.response()(scope, receive, send)
        except TimeoutError:
            slow = Problem(408, "too_slow", f"a body arrives within {self._seconds:g} seconds")
            return await slow.response()(scope, receive, send)
        if body is None:
            return None
        if body and not _is_json(scope):
            other = Problem(415, "not_json", "send JSON, and say so: Content-Type: application/json")
            return await other.response()(scope, receive, send)
        return await self._app(scope, _replayed(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        """Return the body; None when the client has gone."""
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._most:
                raise Problem(
                    413,
                    "too_large",
                    f"a body has at most {self._most} bytes",
                    headers={"Connection": "close"},
                )
        return bytes(body)


class Counted:
    """Tells the status of each answer."""

    def __init__(self, app: ASGIApp, on_answer: OnAnswer) -> None:
        self._app, self._on_answer = app, on_answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._on_answer(message["status"])
            await send(message)

        await self._app(scope, receive, telling)


def _is_json(scope: Scope) -> bool:
    said: bytes = dict(scope["headers"]).get(b"content-type", b"")
    return said.partition(b";")[0].strip().lower() == b"application/json"


def _replayed(body: bytes, receive: Receive) -> Receive:
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay
