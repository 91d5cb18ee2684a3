"""One member of a consumer group: fetches, hands each partition to its worker, commits what is processed.

Fetched records go to the lanes of their partition number; that partition's worker turns them into effects and
says how far it is; the offsets it says are committed every second or so, when partitions are revoked, and on
drain.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from aiokafka import (
    AIOKafkaConsumer,
    ConsumerRebalanceListener,
    OffsetAndMetadata,
    TopicPartition,
)
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from shared.bus.backoff import Backoff
from shared.bus.errors import FatalError, broker_reason
from shared.bus.incoming import Stretch
from shared.bus.lanes import Lane
from shared.bus.pace import Pace
from shared.bus.processor import Processor
from shared.bus.subscription import Subscription
from shared.bus.watch import ConsumerStuckError, Watch, is_unreachable
from shared.bus.worker import Worker
from shared.telemetry import CommitKind, Metrics
from shared.telemetry.reasons import Reason

log = logging.getLogger(__name__)

POLL_MS = 500
LOOK_SECONDS = 0.02
"""How often the lanes that are short, or paused, are looked at while the others have enough."""
HUNGRY = 500
"""A worker with fewer records waiting makes the consumer fetch."""
FULL = 2_000
FULL_BYTES = 4 * 1024 * 1024
"""A lane with more records, or more bytes, is paused: memory stays bounded whatever the backlog."""
REVOKE_SECONDS = 3.0
COMMIT_SECONDS = 5.0
WATCH_SECONDS = 2.0
TOPIC_SECONDS = 10.0
POLL_FAILURES = 20
JOINING = "not in the group yet"
LIVES = 3
LIVES_WINDOW = 600.0
"""A consumer that has to be made anew more often than LIVES times in LIVES_WINDOW seconds gives up."""

MakeWorker = Callable[[int, Sequence[TopicPartition], asyncio.Event, Processor | None], Worker]


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]
    """A member of the subscription's group, made anew when it gets stuck, until it is stopped."""

    def __init__(
        self,
        subscription: Subscription,
        make_client: Callable[[], AIOKafkaConsumer],
        make_worker: MakeWorker,
        metrics: Metrics,
        watch: Watch,
        commit_seconds: float,
    ) -> None:
        self._subscription, self._make_client, self._make_worker = subscription, make_client, make_worker
        self._metrics, self._watch, self._commit_seconds = metrics, watch, commit_seconds
        self._client: AIOKafkaConsumer | None = None
        self._committed: dict[TopicPartition, int] = {}
        self._stopping = asyncio.Event()
        self._room = asyncio.Event()
        self._pace = Pace()
        self._poll_failures = 0
        self._leaving = False
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.workers: dict[int, Worker] = {}
        self._kept: dict[int, Processor] = {}
        """Of workers that finished at the last rebalance: most partitions come back to the same member."""
        self.trouble: str | None = JOINING
        """Why nothing is fetched at the moment, for readiness; None while all is well."""

    async def run(self, drain_seconds: float) -> None:
        """Consume until `stop`; then drain within `drain_seconds`. Raises FatalError."""
        lives: deque[float] = deque(maxlen=LIVES)
        while not self._stopping.is_set():
            try:
                await self._live(drain_seconds)
            except ConsumerStuckError as error:
                self._metrics.consumer_recreated.labels(Reason.CONSUMER_STUCK).inc()
                log.exception("the consumer is made anew")
                if len(lives) == LIVES and time.monotonic() - lives[0] < LIVES_WINDOW:
                    raise FatalError(f"the consumer stays stuck: {error}") from error
                lives.append(time.monotonic())

    async def _wait_for_stop(self) -> None:
        await self._stopping.wait()

    def stop(self) -> None:
        """Ask `run` to drain and return."""
        self._stopping.set()

    async def _live(self, drain_seconds: float) -> None:
        self._failure = asyncio.get_running_loop().create_future()
        self._leaving, self._poll_failures = False, 0
        self._client = client = await self._join()
        if client is None:
            return
        loops = [self._fetch(client), self._commit_regularly(), self._watch_regularly(client)]
        tasks = [asyncio.create_task(loop) for loop in loops]
        stopping = asyncio.create_task(self._wait_for_stop())
        try:
            await asyncio.wait([*tasks, stopping, self._failure], return_when=asyncio.FIRST_COMPLETED)
            self._leaving = True  # a rebalance from now on gives us nothing
            await self._release(drain_seconds if stopping.done() else 0.0)
            for done in (*tasks, self._failure):
                if done.done():
                    done.result()
        finally:
            self._leaving = True
            for task in (*tasks, stopping):
                task.cancel()
            await asyncio.gather(*tasks, stopping, return_exceptions=True)
            await asyncio.gather(*(worker.stop(0.0) for worker in self.workers.values()))
            await _close_quietly(client)

    async def _join(self) -> AIOKafkaConsumer | None:
        backoff = Backoff()
        while not self._stopping.is_set():
            client = self._make_client()
            try:
                await client.start()  # not subscribed yet: aiokafka would wait for a missing topic for ever
                await self._require_topics(client)
                client.subscribe(self._subscription.names, listener=self)
            except (KafkaError, OSError, TimeoutError) as error:
                self.trouble = repr(error)
                log.warning("Kafka is waited for", extra={"error": repr(error)})
                self._metrics.retried.labels(broker_reason(error)).inc()
                await _close_quietly(client)
                await backoff.wait()
            except BaseException:
                await _close_quietly(client)
                raise
            else:
                self.trouble = JOINING
                return client
        return None

    async def _require_topics(self, client: AIOKafkaConsumer) -> None:
        deadline = time.monotonic() + TOPIC_SECONDS
        while missing := sorted(self._subscription.needed - await client.topics()):
            if time.monotonic() < deadline:  # brokers learn of new topics one after the other
                await asyncio.sleep(POLL_MS / 1000)
                continue
            raise FatalError(
                f"topics are missing: {', '.join(missing)}; create them, or let this user see them "
                f"(`ruamjai rights`), then start again"
            )

    async def _fetch(self, client: AIOKafkaConsumer) -> None:
        while True:
            short = [] if self._hungry() else [lane.source for lane in self._lanes() if _short(lane)]
            self._regulate(client)  # a lane that has run short must be in this fetch, not in the next
            fetched = await self._poll(client, short)
            for source, stretches in fetched.items():
                worker = self.workers.get(source.partition)
                if worker is not None and stretches:
                    worker.lanes.offer(source, stretches)
            self._regulate(client)
            if short and not fetched:
                await self._wait_for_room()
            elif fetched:
                await self._gather(client, fetched)

    async def _listen(self, lanes: Iterable[Lane]) -> None:
        """Tell lanes how far they are of what the broker had when it last answered."""
        if (client := self._client) is None:
            return
        for lane in lanes:
            with contextlib.suppress(KafkaError, AssertionError, TimeoutError):  # not ours, or not for now
                end, answered_ms = client.highwater(lane.source), client.last_poll_timestamp(lane.source)
                lane.look(answered_ms)
                if end is not None:
                    async with asyncio.timeout(LOOK_SECONDS):
                        lane.hear(await client.position(lane.source), end)

    async def _gather(
        self, client: AIOKafkaConsumer, fetched: Mapping[TopicPartition, Sequence[Stretch]]
    ) -> None:
        """Keep aiokafka from fetching for a moment, where that spares rounds that bring a record each."""
        records = sum(s.next_offset - s.offset for stretches in fetched.values() for s in stretches)
        pause = self._pace.pause(records, time.monotonic())
        if pause:
            self._each_open_lane(client.pause)
            await asyncio.sleep(pause)
            self._each_open_lane(client.resume)

    def _each_open_lane(self, do: Callable[[TopicPartition], None]) -> None:
        for lane in self._lanes():
            if not lane.paused:
                with contextlib.suppress(IllegalStateError):  # not ours any more
                    do(lane.source)

    def _hungry(self) -> bool:
        return not self.workers or any(len(w.lanes) < HUNGRY for w in self.workers.values())

    async def _wait_for_room(self) -> None:
        self._room.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._room.wait()

    async def _poll(
        self, client: AIOKafkaConsumer, short: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, list[Stretch]]:
        """Fetch: while every worker has enough, only what is there for the lanes that are `short`.

        A flood in one lane must not keep what is urgent in another, or behind itself, from being fetched.
        """
        paused = any(lane.paused for lane in self._lanes())
        wait_ms = 0 if short else round(LOOK_SECONDS * 1000) if paused else POLL_MS
        try:
            fetched: Mapping[TopicPartition, list[Stretch]] = await client.getmany(*short, timeout_ms=wait_ms)
        except NoOffsetForPartitionError:
            await self._start_at_earliest(client)
        except OffsetOutOfRangeError as error:
            raise FatalError(
                f"records were deleted before this group read them: {error}; decide what is lost, "
                f"set the group's offsets with Kafka's own tools, start again"
            ) from error
        except KafkaError as error:
            await self._after_failed_poll(client, error)
        else:
            self._poll_failures = 0
            return fetched
        return {}

    async def _start_at_earliest(self, client: AIOKafkaConsumer) -> None:
        """Start partitions nobody of the group has committed yet at their first record."""
        try:
            await self._go_to_committed(client)
        except KafkaError as error:  # a rebalance came in between: the next fetch asks again
            log.info("the start of a partition is looked for again", extra={"error": repr(error)})

    async def _go_to_committed(self, client: AIOKafkaConsumer) -> None:
        """Put partitions of which nothing was received yet where the group stands, or at their beginning."""
        for source in [lane.source for lane in self._lanes() if lane.next_offset is None]:
            committed = await client.committed(source)
            if committed is None:
                await client.seek_to_beginning(source)
            else:
                client.seek(source, committed)

    async def _after_failed_poll(self, client: AIOKafkaConsumer, error: KafkaError) -> None:
        """Go back to what was really received: a failed `getmany` may have dropped what it had in hand."""
        self.trouble = repr(error)
        self._poll_failures += 1
        self._metrics.retried.labels(broker_reason(error)).inc()
        log.warning("a fetch failed", extra={"error": repr(error)})
        if self._poll_failures > POLL_FAILURES:
            raise ConsumerStuckError(f"every fetch fails: {error!r}") from error
        with contextlib.suppress(KafkaError):
            for lane in self._lanes():
                if lane.next_offset is not None:
                    client.seek(lane.source, lane.next_offset)
            await self._go_to_committed(client)
        await asyncio.sleep(POLL_MS / 1000)

    def _regulate(self, client: AIOKafkaConsumer) -> None:
        """Pause lanes that are full and resume those that are not: one slow partition holds up no other."""
        for lane in self._lanes():
            full = len(lane) >= FULL or lane.bytes >= FULL_BYTES
            if full != lane.paused and (full or len(lane) < HUNGRY):
                lane.paused = full
                with contextlib.suppress(IllegalStateError):
                    (client.pause if full else client.resume)(lane.source)

    def _lanes(self) -> list[Lane]:
        return [lane for worker in self.workers.values() for lane in worker.lanes]

    async def _commit_regularly(self) -> None:
        while True:
            await asyncio.sleep(self._commit_seconds)
            await self._commit()

    async def _commit(self) -> None:
        """Commit how far the workers are. A refusal is not an error: what is not committed is done again."""
        offsets = {tp: at for w in self.workers.values() for tp, at in w.processed.items()}
        news = {tp: OffsetAndMetadata(at, "") for tp, at in offsets.items() if self._committed.get(tp) != at}
        if not news or self._client is None:
            return
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._client.commit(news)
        except (KafkaError, TimeoutError) as error:
            log.warning("offsets were not committed", extra={"error": repr(error)})
            self._metrics.retried.labels(broker_reason(error)).inc()
        else:
            self._committed.update({tp: meta.offset for tp, meta in news.items()})
            self._metrics.commits.labels(CommitKind.OFFSET).inc()

    async def _watch_regularly(self, client: AIOKafkaConsumer) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await self._watch.look(client, self.workers.values())
            except Exception as error:
                if not is_unreachable(error):
                    raise
                self.trouble = repr(error)
            else:
                self.trouble = JOINING if self.trouble == JOINING else None

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Called by aiokafka before every rebalance: finish or abandon, and commit while we may."""
        del revoked  # with the eager protocol that is everything
        self.trouble = JOINING
        await self._release(REVOKE_SECONDS)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Called by aiokafka after a rebalance, before anything is fetched: one worker per number."""
        if self._leaving:
            return
        self._metrics.rebalances.inc()
        self.trouble = None
        try:
            self._adopt_all(assigned)
        except Exception as error:  # noqa: BLE001  (aiokafka would log it and go on without workers)
            self._fail(error)

    def _adopt_all(self, assigned: Collection[TopicPartition]) -> None:
        self._committed.clear()
        by_number: dict[int, list[TopicPartition]] = {}
        for source in sorted(assigned):
            by_number.setdefault(source.partition, []).append(source)
        for number, sources in by_number.items():
            if self._subscription.whole and len(sources) != len(self._subscription.names):
                group = self._subscription.group
                raise FatalError(f"the inputs of {group} differ in partitions: {sources}")
            self._adopt(number, sources)
        self._kept.clear()
        self._metrics.owned_partitions.labels(self._subscription.group).set(len(assigned))

    def _adopt(self, number: int, sources: Sequence[TopicPartition]) -> None:
        kept = self._kept.pop(number, None)
        worker = self.workers[number] = self._make_worker(number, sources, self._room, kept)
        worker.listen = self._listen
        worker.start().add_done_callback(self._worker_ended)
        self._room.set()

    def _worker_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            if any(w.task is task and not w.draining for w in self.workers.values()):
                self._fail(FatalError("a handler cancelled its worker"))
        elif (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if not self._failure.done():
            self._failure.set_exception(error)

    async def _release(self, seconds: float) -> None:
        """Stop every worker and commit what they have processed."""
        workers = list(self.workers.values())
        await asyncio.gather(*(worker.stop(seconds) for worker in workers))
        await self._commit()
        self._kept = {worker.partition: worker.processor for worker in workers if worker.finished}
        self._watch.forget([lane.source for lane in self._lanes()])
        self.workers.clear()
        self._metrics.owned_partitions.labels(self._subscription.group).set(0)


def _short(lane: Lane) -> bool:
    """Whether more should be fetched for it than for others: what may overtake must be here to do so."""
    return len(lane) < HUNGRY or (lane.overtaking is not None and not lane.paused)


async def _close_quietly(client: AIOKafkaConsumer) -> None:
    """Leave the group and close; a client that cannot even do that is left to the garbage collector."""
    try:
        async with asyncio.timeout(COMMIT_SECONDS):
            await client.stop()
    except Exception as error:  # noqa: BLE001  (it is thrown away either way)
        log.info("a consumer did not close cleanly", extra={"error": repr(error)})
