"""A declared service brought to life: FastStream runs it, the kernel owns what it consumes and produces."""

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import TopicPartition
from faststream import FastStream
from faststream.kafka import KafkaBroker
from prometheus_client import CollectorRegistry

from shared.bus.clients import make_consumer, make_producer
from shared.bus.consumer import Consumer
from shared.bus.dead_letters import Budget
from shared.bus.errors import FatalError
from shared.bus.lanes import Lane, Lanes
from shared.bus.observer import Observer
from shared.bus.parking import Parking
from shared.bus.patience import Patience
from shared.bus.processor import Processor, Workplace
from shared.bus.publisher import Publisher
from shared.bus.refusals import Refusals
from shared.bus.service import Service
from shared.bus.subscription import Subscription
from shared.bus.turnstile import Turnstile
from shared.bus.watch import Watch
from shared.bus.worker import Worker
from shared.clock import clock_from
from shared.settings import ConfigurationError, Settings, expiries, load_settings
from shared.store import GroupCommit, Store, open_store
from shared.telemetry import Health, Metrics, Probes, configure_logging, tracing_from

log = logging.getLogger(__name__)

EXIT_FATAL = 70
EXIT_CONFIGURATION = 78
STUCK_SECONDS = 30.0
STALLED_SECONDS = 120.0
PING_SECONDS = 5.0
GC_THRESHOLD = (50_000, 20, 50)
"""A slice makes thousands of objects that die together without cycles: there is nothing to find in them."""


class Runtime:
    """Everything one process of a service owns, built from its declaration and its settings."""

    def __init__(self, service: Service, settings: Settings) -> None:
        if not (service.subscriptions or service.parts or service.early_parts):
            raise ConfigurationError(f"{service.name} has neither a handler nor a part: nothing to run")
        self.service, self.settings = service, settings
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)
        for collector in service.collectors:
            self.registry.register(collector)
        self.clock = clock_from(settings)
        self.metrics.clock_timestamp_seconds.set_function(lambda: self.clock.now_ms() / 1000)
        self.tracing = tracing_from(settings)
        self.publisher = Publisher(lambda: make_producer(settings), self.metrics)
        self.store: Store | None = open_store(settings.store_url) if self._needs_store() else None
        self._appends = GroupCommit(self.store.append) if self.store else None
        self._turnstile = Turnstile()
        self.consumers: list[Consumer] = []
        self._refusals = Refusals(self.metrics)
        self._tasks: list[asyncio.Task[None]] = []
        self._parts: list[asyncio.Task[None]] = []
        self._probes: Probes | None = None
        self._store_trouble: str | None = "not asked yet"
        self._beat = time.monotonic()
        self.failure: BaseException | None = None
        self.on_failure: Callable[[], None] = lambda: None

    def _needs_store(self) -> bool:
        stateful = any(s.stateful or s.on_poison == "park" for s in self.service.subscriptions)
        return stateful or self.service.parts_store

    async def start(self) -> None:
        """Show health at once; connect and consume as soon as broker and store answer."""
        gc.freeze()  # what start-up made lives as long as the process: no reason to look at it again
        gc.set_threshold(*GC_THRESHOLD)
        self._probes = self._open_probes()
        self._refusals.open()
        for file, until in expiries(self.settings).items():
            self.metrics.certificate_expires.labels(file).set(until.timestamp())
        log.info("started", extra={"port": self._probes.port, "service": self.service.name})
        self._tasks = [asyncio.create_task(self._heartbeat()), asyncio.create_task(self._consume())]
        self._tasks[1].add_done_callback(self._ended)

    def _open_probes(self) -> Probes:
        host, port = self.settings.http_host, self.settings.http_port
        try:
            return Probes(host, port, self.registry, self.live, self.ready)
        except OSError as error:
            raise ConfigurationError(f"HTTP_PORT {port} of {host} cannot be used: {error.strerror}") from None

    async def _consume(self) -> None:
        if self.store is not None:
            await Patience(self.metrics).until_done(self.store.start)
            self._store_trouble = None  # a look before it had started found nothing to ask
        async with asyncio.TaskGroup() as group:
            self._parts = [group.create_task(part(self)) for part in self.service.early_parts]
            await self.publisher.start()
            for subscription in self.service.subscriptions:
                consumer = self._consumer(subscription)
                self.consumers.append(consumer)
                group.create_task(consumer.run(self.settings.drain_seconds))
            self._parts += [group.create_task(part(self)) for part in self.service.parts]

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        self.failure = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error
        said = isinstance(self.failure, (FatalError, ConfigurationError))
        reason = str(self.failure) if said else type(self.failure).__name__
        log.critical("the service cannot go on: %s", reason, exc_info=None if said else self.failure)
        self.on_failure()

    async def stop(self) -> None:
        """End what runs beside the consumers, drain, leave the groups, close everything."""
        for part in self._parts:
            part.cancel()
        await asyncio.gather(*self._parts, return_exceptions=True)
        for consumer in self.consumers:
            consumer.stop()
        if not self.consumers:
            self._tasks[1].cancel()  # it still waits for the broker, and there is nothing to drain
        await asyncio.wait(self._tasks[1:], timeout=self.settings.drain_seconds + PING_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.publisher.close()
        if self.store is not None:
            await self.store.close()
        await asyncio.to_thread(self.tracing.shutdown)
        self._refusals.close()
        if self._probes is not None:
            self._probes.close()
        log.info("stopped")

    def _consumer(self, subscription: Subscription) -> Consumer:
        observer = Observer(subscription.group, subscription.handler, self.metrics, self.tracing, self.clock)
        budgets = {
            t.name: Budget(subscription.dlq_limit, subscription.dlq_window) for t in subscription.topics
        }

        def make_worker(
            number: int, sources: Sequence[TopicPartition], room: asyncio.Event, kept: Processor | None
        ) -> Worker:
            lanes = Lanes([self._lane(subscription, source) for source in sources], room)
            processor = kept or subscription.make(self._workplace(subscription, number))
            return Worker(number, lanes, processor, self.publisher, observer, budgets, self._turnstile)

        return Consumer(
            subscription,
            lambda: make_consumer(self.settings, subscription),
            make_worker,
            self.metrics,
            Watch(subscription.group, self.metrics, self.clock, STUCK_SECONDS),
            self.settings.commit_interval_ms / 1000,
        )

    def _lane(self, subscription: Subscription, source: TopicPartition) -> Lane:
        topic = source.topic
        return Lane(
            source,
            urgent=subscription.urgent(topic),
            hurry=subscription.hurry(topic),
            begins=subscription.begins(topic),
            overtaking=subscription.overtaking(topic),
            outsiders=subscription.outsiders(topic),
        )

    def _workplace(self, subscription: Subscription, number: int) -> Workplace:
        parks = self.store if subscription.on_poison == "park" else None
        parking = Parking(parks, subscription.group, number)
        patience = Patience(self.metrics)
        return Workplace(
            subscription.group,
            number,
            parking,
            patience,
            self.metrics,
            self.clock,
            self.store,
            self._appends,
        )

    async def _heartbeat(self) -> None:
        while True:
            self._beat = time.monotonic()
            self._store_trouble = await self._ping()
            await asyncio.sleep(1.0)

    async def _ping(self) -> str | None:
        if self.store is None:
            return None
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self.store.ping()
        except Exception as error:  # noqa: BLE001  (whatever it is, the store cannot be relied on)
            return type(error).__name__
        return None

    def live(self) -> Health:
        """Whether the process does its work: the loop turns, and positions advance if there is work."""
        stalled = [w for c in self.consumers for w in c.workers.values() if w.stalled(STALLED_SECONDS)]
        turning = time.monotonic() - self._beat < STALLED_SECONDS
        checks = {
            "event loop": "turning" if turning else "blocked",
            "workers": f"{len(stalled)} stalled" if stalled else "advancing or idle",
        }
        return Health(turning and not stalled, checks)

    def ready(self) -> Health:
        """Whether broker and store answer; where parts work without the broker, whether the store does."""
        broker = self.publisher.trouble or next((c.trouble for c in self.consumers if c.trouble), None)
        if broker is None:
            self._refusals.trouble = None  # what was refused before is over
        broker = self._refusals.trouble or broker
        joined = bool(self.consumers)
        checks = {
            "broker": "answers" if joined and broker is None else broker or "connecting",
            "store": self._store_trouble or "answers",
        }
        can_work = bool(self._parts) if self.service.early_parts else joined and broker is None
        return Health(can_work and self._store_trouble is None, checks)


class KernelBroker(KafkaBroker):
    """FastStream's broker with the kernel in place of its consume loop and its producer."""

    runtime: Runtime

    async def start(self) -> None:
        """Start the kernel; FastStream's own subscribers and producer stay unused."""
        await self.runtime.start()

    async def stop(self, *_: Any) -> None:
        """Drain the kernel."""
        await self.runtime.stop()


def application(service: Service, settings: Settings) -> tuple[FastStream, Runtime]:
    """Return the FastStream application that runs `service`, and the kernel under it."""
    broker = KernelBroker(settings.kafka_url.split(","))
    broker.runtime = runtime = Runtime(service, settings)
    app = FastStream(broker, logger=None)
    runtime.on_failure = app.exit
    return app, runtime


async def run(name: str, build: Callable[[Settings], Service]) -> int:
    """Run what `build` makes of the settings of service `name` until it is to stop; return the exit code."""
    try:
        settings = load_settings(name)
        app, runtime = application(build(settings), settings)
        configure_logging(name, settings.log_level)
        await app.run()
    except ConfigurationError as error:
        logging.basicConfig()  # where it has not been configured yet
        log.critical("%s", error)
        return EXIT_CONFIGURATION
    match runtime.failure:
        case None:
            return 0
        case ConfigurationError():
            return EXIT_CONFIGURATION
        case _:
            return EXIT_FATAL
