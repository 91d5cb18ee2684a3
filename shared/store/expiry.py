"""Documents that are kept for a while only: an agenda in the order in which they fall due."""

from datetime import timedelta

from shared.store import Document, GroupCommit, Store

KIND = "expiry"
PAGE = 500
DIGITS = 13
"""Of epoch milliseconds, until the year 2286."""


def entry(kind: str, id_: str, since_ms: int, kept: timedelta) -> Document:
    """Return the agenda's document for one that is `kept` since an instant (epoch ms); its kind is KIND."""
    due = since_ms + round(kept.total_seconds() * 1000)
    return Document(f"{due:0{DIGITS}d}.{kind}.{id_}", b"")


class Expiry:
    """The agenda of a store's documents. Replicas may sweep at once: deleting twice is deleting once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._agenda = store.documents(KIND)
        self._together = GroupCommit(self._agenda.insert)

    async def schedule(self, kind: str, id_: str, since_ms: int, kept: timedelta) -> None:
        """Have a document deleted once it is `kept` since an instant. Again with the same: no change."""
        await self._together.write(entry(kind, id_, since_ms, kept))

    async def sweep(self, now_ms: int) -> int:
        """Delete what is due by now; return how many documents that was."""
        swept = 0
        while due := await self._due(now_ms):
            by_kind: dict[str, list[str]] = {}
            for entry in due:
                _, kind, id_ = entry.split(".", 2)
                by_kind.setdefault(kind, []).append(id_)
            for kind, ids in by_kind.items():
                await self._store.documents(kind).delete(ids)
            await self._agenda.delete(due)
            swept += len(due)
        return swept

    async def _due(self, now_ms: int) -> list[str]:
        page = await self._agenda.scan(limit=PAGE)
        return [entry.id for entry in page if int(entry.id[:DIGITS]) <= now_ms]
