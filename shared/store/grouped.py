"""Group insert: documents that are inserted while an insert is under way go out together in the next one."""

import asyncio

from shared.store.documents import Document, Documents

MOST = 500
"""Documents per round trip."""


class GroupInsert:
    """One insert at a time per process and kind, of all documents that wait."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._waiting: list[tuple[Document, asyncio.Future[bool]]] = []
        self._sender: asyncio.Task[None] | None = None

    async def insert(self, document: Document) -> bool:
        """As `Documents.insert`, for one document. A caller that goes away stops nothing."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((document, future))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())
        return await future

    async def _send(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            try:
                taken = await self._documents.insert([document for document, _ in group])
            except Exception as error:  # noqa: BLE001  (each caller gets it, and decides)
                _settle(group, error)
            else:
                _settle(group, taken)


def _settle(group: list[tuple[Document, asyncio.Future[bool]]], outcome: list[bool] | Exception) -> None:
    for position, (_, future) in enumerate(group):
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome[position])
