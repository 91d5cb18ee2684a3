"""How many commits a store makes durable per second: one at a time, and in groups."""

import asyncio
import time
from uuid import uuid4

from shared.store import Commit, open_store
from tests.bench.tables import Row

BODY = b"x" * 600
SECONDS = 3.0


async def stores(urls: dict[str, str]) -> list[Row]:
    """Return a row per store and group size: commits and effects (causes) per second."""
    return [await _measure(name, url, group) for name, url in urls.items() for group in (1, 10, 50)]


async def _measure(name: str, url: str, group: int) -> Row:
    store = open_store(url)
    await store.start()
    streams, done, n = [f"bench-{uuid4().hex[:8]}/{i}" for i in range(group)], 0, 0
    start = time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        n += 1
        commits = [Commit(stream, n, 0, (f"{stream}-{n}",), BODY) for stream in streams]
        done += sum(await store.append(commits))
    seconds = time.perf_counter() - start
    await store.close()
    return {"store": name, "commits together": group, "commits/s": f"{done / seconds:,.0f}"}


def measure_stores(urls: dict[str, str]) -> list[Row]:
    """As `stores`, for callers without an event loop."""
    return asyncio.run(stores(urls))
