"""Group commit: what is written while a write is under way goes out together in the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
Write = Callable[[Sequence[T]], Awaitable[Sequence[bool]]]

MOST = 500
"""Items per round trip."""


class GroupCommit(Generic[T]):
    """One round trip at a time of `write`, such as `Store.append`, with all that waits for it."""

    def __init__(self, write: Write[T]) -> None:
        self._write = write
        self._waiting: list[tuple[T, asyncio.Future[bool]]] = []
        self._sender: asyncio.Task[None] | None = None

    async def write(self, item: T) -> bool:
        """Return what the write answered for `item`, or raise what it raised. Who goes away stops nothing."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())
        return await future

    async def _send(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            try:
                answers = await self._write([item for item, _ in group])
            except Exception as error:  # noqa: BLE001  (each caller gets it, and decides)
                for _, future in group:
                    if not future.done():
                        future.set_exception(error)
            else:
                for (_, future), answer in zip(group, answers, strict=True):
                    if not future.done():
                        future.set_result(answer)
            finally:
                for _, future in group:
                    future.cancel()  # whoever still waits when the sender is stopped
