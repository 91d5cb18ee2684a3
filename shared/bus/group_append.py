"""Group commit: appends that are asked for while one is under way go out together in the next one."""

import asyncio

from shared.store import Commit, Store


class GroupAppend:
    """One append at a time per process, of all commits that wait."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Commit, asyncio.Future[bool]]] = []
        self._sender: asyncio.Task[None] | None = None

    async def append(self, commit: Commit) -> bool:
        """As `Store.append`, for one commit."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((commit, future))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())
        return await future

    async def _send(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                taken = await self._store.append([commit for commit, _ in group])
            except Exception as error:  # noqa: BLE001  (each caller gets it, and decides)
                _fail(group, error)
            else:
                for (_, future), won in zip(group, taken, strict=True):
                    if not future.done():
                        future.set_result(won)


def _fail(group: list[tuple[Commit, asyncio.Future[bool]]], error: Exception) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(error)
