"""How notify's pieces are declared on a service: its groups, and what runs beside them."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from services.notify.agreements import Agreements
from services.notify.disclosure.api import Disclosures, disclosure_api
from services.notify.disclosure.ledger import Ledger
from services.notify.disclosure.limit import Limit
from services.notify.disclosure.records import Records
from services.notify.handlers import Sharing
from services.notify.heartbeat import Heart
from services.notify.metrics import NotifyMetrics
from services.notify.webhooks.config import Endpoint
from services.notify.webhooks.queue import Queue
from services.notify.webhooks.send import Sender
from shared.bus import Emit, Service
from shared.bus.patience import Patience
from shared.bus.runtime import Runtime
from shared.contracts import Event, ReportErased, ReportReceived
from shared.contracts.incident import IncidentEvent
from shared.contracts.topics import INCIDENTS, REPORTS_RECEIVED, REPORTS_RECEIVED_URGENT, agency_incidents
from shared.http import load_keys, serve
from shared.sealing import open_keyring

log = logging.getLogger(__name__)


def declare_sharing(service: Service, agreements: Agreements, metrics: NotifyMetrics) -> None:
    """Agency topics: the decider, the agreements it follows, and the heartbeat."""
    service.decide(INCIDENTS, by=Sharing(agreements.book, agreements.outlets.has, metrics.count))

    @service.beside
    async def follow(runtime: Runtime) -> None:
        await agreements.follow(runtime.settings)

    @service.beside
    async def beat(runtime: Runtime) -> None:
        await Heart(runtime, agreements, metrics).beat_for_ever()


def declare_webhooks(service: Service, endpoints: Iterable[Endpoint], metrics: NotifyMetrics) -> None:
    """Webhooks: a group and a queue for each endpoint, so that none waits for another."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs URLs, and these may carry a token
    for endpoint in endpoints:
        queue = Queue(endpoint, Sender(endpoint), metrics)
        group = f"{service.name}-webhooks.{endpoint.name}"
        service.on(agency_incidents(endpoint.agency), group=group)(queue.deliver)
        service.beside(queue.run)


def declare_disclosure(service: Service, agreements: Agreements, metrics: NotifyMetrics) -> None:
    """The disclosure API and the read model it answers from."""
    group = f"{service.name}-disclosure"
    model = _Model()
    inputs = INCIDENTS, REPORTS_RECEIVED, REPORTS_RECEIVED_URGENT
    service.on_batch(*inputs, group=group, gather=0.25)(model.take)

    @service.beside
    async def disclose(runtime: Runtime) -> None:
        records = model.open(runtime)
        if runtime.settings.keys_url is None:
            log.warning("nothing can be disclosed: KEYS_URL and MASTER_KEY are not set")
            return
        store, ring = open_keyring(runtime.settings)
        await Patience(runtime.metrics).until_done(store.start)
        ledger = Ledger(runtime.publisher, f"/ruamjai/{service.name}")
        disclosures = Disclosures(agreements, records, ring, ledger, runtime.clock, metrics)
        keys = load_keys(runtime.settings.api_keys)
        app = disclosure_api(disclosures, keys, Limit(runtime.clock.monotonic))
        try:
            await serve(app, runtime.settings.api_host, runtime.settings.api_port)
        finally:
            await store.close()


class _Model:
    """The read model before and after there is a store to keep it in."""

    def __init__(self) -> None:
        self._records: Records | None = None
        self._there = asyncio.Event()

    def open(self, runtime: Runtime) -> Records:
        assert runtime.store is not None
        self._records = Records(runtime.store)
        self._there.set()
        return self._records

    async def take(
        self, events: Sequence[Event[IncidentEvent | ReportErased | ReportReceived]]
    ) -> Sequence[Iterable[Emit]]:
        await self._there.wait()
        assert self._records is not None
        await self._records.take(events)
        return [()] * len(events)
