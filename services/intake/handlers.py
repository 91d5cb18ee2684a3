"""Intake brought to life: what it is made of, and the parts that the kernel runs."""

import asyncio
import hashlib
import hmac
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from fastapi import FastAPI

from services.intake.accept import Acceptance
from services.intake.api import intake_api
from services.intake.callers import Door
from services.intake.forward import Forwarder
from services.intake.limits import Limits
from services.intake.metrics import IntakeMetrics
from services.intake.outbox import KIND, Outbox
from services.intake.reading import Reading
from services.intake.replicas import Replicas
from shared.bus import Emit
from shared.bus.patience import Patience
from shared.bus.runtime import Runtime
from shared.bus.sweep import sweep
from shared.contracts import Event
from shared.contracts.incident import IncidentEvent
from shared.http import load_keys, serve
from shared.sealing import KeyRing, open_keyring
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Made:
    """What the parts share, once the stores answer."""

    outbox: Outbox
    replicas: Replicas
    reading: Reading
    metrics: IntakeMetrics


class Intake:
    """The parts of the service: the API, which needs no broker, the forwarder, and the read model."""

    def __init__(self) -> None:
        self._made: Made | None = None
        self._is_made = asyncio.Event()

    async def serve(self, runtime: Runtime) -> None:
        """Open the keys, then accept reports until cancelled."""
        keys, keyring = open_keyring(runtime.settings)
        try:
            await Patience(runtime.metrics).until_done(keys.start)
            app = self._make(runtime, keyring)
            await Patience(runtime.metrics).until_done(self._parts().replicas.beat)
            self._is_made.set()
            async with asyncio.TaskGroup() as group:
                group.create_task(serve(app, runtime.settings.api_host, runtime.settings.api_port))
                group.create_task(sweep(runtime))
        finally:
            await keys.close()

    async def forward(self, runtime: Runtime) -> None:
        """Forward what was accepted until cancelled."""
        await self._is_made.wait()
        made = self._parts()
        await Forwarder(
            made.outbox, made.replicas, runtime.publisher, runtime.clock, runtime.metrics, made.metrics
        ).run()

    async def follow(self, events: Sequence[Event[IncidentEvent]]) -> Sequence[Iterable[Emit]]:
        """Keep the read model of `incidents`; what an erasure causes goes through the outbox."""
        await self._is_made.wait()
        await self._parts().reading.follow(events)
        return [()] * len(events)

    def _make(self, runtime: Runtime, keyring: KeyRing) -> FastAPI:
        store, clock = runtime.store, runtime.clock
        assert store is not None, "a service with parts has a store"
        me = uuid4().hex
        metrics, limits = IntakeMetrics(runtime.registry), Limits(clock)
        outbox = Outbox(store.documents(KIND), me)
        reading = Reading(store, keyring, outbox, clock, metrics)
        secret = _digest_secret(runtime.settings)
        acceptance = Acceptance(store, keyring, outbox, secret, clock, runtime.tracing, metrics)
        replicas = Replicas(store.documents("replicas"), me, clock)
        self._made = Made(outbox, replicas, reading, metrics)
        door = Door(load_keys(runtime.settings.api_keys), limits)
        return intake_api(acceptance, reading, door, limits, metrics)

    def _parts(self) -> Made:
        assert self._made is not None
        return self._made


def _digest_secret(settings: Settings) -> bytes:
    """Return the key of intake's digests, which follows from the master key and does not lead back to it."""
    assert settings.master_key is not None, "checked with the key ring"
    master = b64decode(settings.master_key.get_secret_value())
    return hmac.new(master, b"ruamjai intake digests", hashlib.sha256).digest()
