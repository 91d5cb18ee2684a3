"""Intake without a broker and without the kernel: its stores, its front door, and a client of it."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.intake.accept import Acceptance
from services.intake.api import intake_api
from services.intake.callers import Door
from services.intake.limits import Limits
from services.intake.metrics import IntakeMetrics
from services.intake.outbox import KIND, LANES, Outbox
from services.intake.reading import Reading
from services.intake.stored import Waiting
from shared.clock import Clock, ManualClock
from shared.http import ApiKeys
from shared.http.keys import Caller
from shared.sealing import KeyRing
from shared.store import Store, open_store
from shared.telemetry import Tracing

MASTER = bytes(range(32))
MASTER_KEY = b64encode(MASTER).decode()
KEY = "test-key"
CALLERS = {sha256(KEY.encode()).hexdigest(): Caller(name="line-bot", scopes=frozenset({"reports.write"}))}
BY_KEY = {"Authorization": f"Bearer {KEY}"}
A_REPORT: dict[str, Any] = {"text": "รถชนกันหน้าตลาด มีคนเจ็บ โทร 0812345678", "channel": "web"}


@dataclass
class Replica:
    """One replica of intake up to its outbox."""

    store: Store
    keyring: KeyRing
    outbox: Outbox
    acceptance: Acceptance
    reading: Reading
    metrics: IntakeMetrics
    clock: Clock
    app: FastAPI

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client of its API, in this process."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://intake") as client:
            yield client

    async def post(self, body: dict[str, Any] | None = None, key: str = "", **headers: str) -> httpx.Response:
        """Send a report with an API key, and with a new idempotency key unless one is given."""
        told = {"Idempotency-Key": key or uuid4().hex, **BY_KEY, **headers}
        async with self.client() as client:
            return await client.post("/v1/reports", json=A_REPORT if body is None else body, headers=told)

    async def get(self, code: str) -> httpx.Response:
        """Ask for a report's status."""
        async with self.client() as client:
            return await client.get(f"/v1/reports/{code}")

    async def erase(self, code: str) -> httpx.Response:
        """Ask for the erasure of a report's personal data."""
        async with self.client() as client:
            return await client.delete(f"/v1/reports/{code}/personal-data")

    async def waiting(self) -> list[Waiting]:
        """What this replica's outbox has in the store, urgent first."""
        await self.outbox.tidy()
        reader = Outbox(self.store.documents(KIND), "reader")
        pages = [await reader.page(self.outbox.me, lane) for lane in LANES]
        return [record for page in pages for _, record in page]


def replica_on(store: Store, keys: Store, clock: Clock | None = None) -> Replica:
    """A replica on started stores."""
    clock = clock or ManualClock()
    keyring = KeyRing(keys.documents("keys"), MASTER)
    metrics, limits = IntakeMetrics(CollectorRegistry()), Limits(clock)
    outbox = Outbox(store.documents("outbox"), uuid4().hex)
    reading = Reading(store, keyring, outbox, clock, metrics)
    acceptance = Acceptance(store, keyring, outbox, b"secret", clock, Tracing(0), metrics)
    app = intake_api(acceptance, reading, Door(ApiKeys(CALLERS), limits), limits, metrics)
    return Replica(store, keyring, outbox, acceptance, reading, metrics, clock, app)


@asynccontextmanager
async def stores(folder: Path) -> AsyncIterator[tuple[Store, Store]]:
    """Intake's own store and the keys', started."""
    own, keys = open_store(f"sqlite:///{folder}/intake.db"), open_store(f"sqlite:///{folder}/keys.db")
    try:
        await own.start()
        await keys.start()
        yield own, keys
    finally:
        await own.close()
        await keys.close()
