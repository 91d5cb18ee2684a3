"""The loop on which everybody outside lives: reporters, officers, and a partner's webhook receiver."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from deploy.local.demo.hook import Hook

Found = TypeVar("Found")
CALL_SECONDS = 240.0


class Clients(threading.Thread):
    """An event loop in a thread of its own, which ends with the interpreter."""

    def __init__(self) -> None:
        super().__init__(name="clients", daemon=True)
        self._loop = asyncio.new_event_loop()
        self.start()

    def run(self) -> None:
        self._loop.run_forever()

    def begin(self, work: Coroutine[Any, Any, Found]) -> "Future[Found]":
        """Start `work` there."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def do(self, work: Coroutine[Any, Any, Found]) -> Found:
        """Do `work` there and return what came of it. Raises TimeoutError."""
        return self.begin(work).result(CALL_SECONDS)

    def receive(self, hook: Hook) -> int:
        """Let `hook` answer on a port of its own; return the port."""
        server = self.do(asyncio.start_server(hook.answer, "127.0.0.1", 0))
        return int(server.sockets[0].getsockname()[1])

    def finish(self) -> None:
        """End the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self.join()
