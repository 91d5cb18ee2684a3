"""Small builders and the reload loop that a stream's owner would have, for the store's tests."""

import asyncio
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from shared.store import Commit, Parked, Store, StoreUnavailable, open_store

T = TypeVar("T")

LANE = "notify/0"


def in_database(url: str, name: str) -> str:
    """A MongoDB URL with another database."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def with_options(url: str, options: str) -> str:
    """A URL with more options."""
    query = urlsplit(url).query
    return urlsplit(url)._replace(query=f"{query}&{options}" if query else options).geturl()


def new_stream() -> str:
    """A name that no other test uses."""
    return f"test-{uuid.uuid4().hex}/0"


def a_commit(
    stream: str, n: int, body: bytes = b"body", at: int = 1_000, causes: tuple[str, ...] = ()
) -> Commit:
    """A commit with a cause of its own unless told otherwise."""
    return Commit(stream, n, at, causes or (f"cause-{n}",), body)


def a_parked(offset: int, key: bytes = b"k", topic: str = "reports.located") -> Parked:
    """A parked message with everything a Kafka record can have, a header that is not UTF-8 included."""
    headers = (("ce_id", b"\xff\x00id"), ("empty", b""), ("null", None))
    return Parked(LANE, topic, 0, offset, key, b"\x00\xffvalue", headers, 1_700_000_000_000, "no such desk")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """A started store, closed at the end."""
    store = open_store(url)
    try:
        await store.start()
        yield store
    finally:
        await store.close()


def written(*files: Path) -> list[str]:
    """Every statement it takes to write what is in these SQLite files: equal lists, nothing was written."""
    found: list[str] = []
    for file in files:
        with closing(sqlite3.connect(file)) as database:
            found += database.iterdump()
    return found


async def whole(store: Store, stream: str, after: int = 0, page: int = 100) -> list[Commit]:
    """The log of a stream after `after`, page by page."""
    log: list[Commit] = []
    while found := await store.tail(stream, log[-1].n if log else after, page):
        log += found
    return log


async def numbers(store: Store, stream: str) -> list[int]:
    """Which commits the log has, in order."""
    return [commit.n for commit in await whole(store, stream)]


async def write_until(store: Store, stream: str, last: int, body: bytes, won: list[int]) -> None:
    """Append until the log has `last` commits, reloading on conflicts and faults; notes those it won."""
    n = 0
    while n < last:
        try:
            [ours] = await store.append([a_commit(stream, n + 1, body)])
            won += [n + 1] if ours else []
            n += 1 if ours else len(await whole(store, stream, after=n))
        except StoreUnavailable:
            await asyncio.sleep(0.01)


async def eventually(attempt: Callable[[], Awaitable[T]], seconds: float = 20.0) -> T:
    """The answer of `attempt` once the store is available again; its last error after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await attempt()
        except StoreUnavailable:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
