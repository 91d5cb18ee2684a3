"""A partner's webhook receiver, in a thread of its own: it takes everything, or is dead in the worst way."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread


class Receiver:
    """Answers 204 and counts; when `dead` it takes connections and requests, and never answers."""

    def __init__(self) -> None:
        self.port, self.taken, self.asked, self.dead = 0, 0, 0, False
        self._loop, self._ready = asyncio.new_event_loop(), Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Listen; returns when the port is known."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._answer, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        answering = asyncio.all_tasks(self._loop)
        for task in answering:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*answering, return_exceptions=True))
        self._loop.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):  # at `stop`
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                await reader.readexactly(int(head.partition("content-length: ")[2].split("\r\n")[0] or 0))
                self.asked += 1
                if self.dead:
                    await asyncio.Event().wait()
                self.taken += 1
                writer.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
        writer.close()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver for the block."""
    receiver = Receiver()
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()
