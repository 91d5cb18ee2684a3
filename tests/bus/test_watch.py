"""What a process shows of itself is true of each of its groups, also when it has several."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from shared.bus.lanes import Lane
from shared.bus.watch import Watch
from shared.clock import ManualClock
from shared.store import Commit, Store, StoreUnavailable
from shared.telemetry import Reason
from tests.bus.desk import new_desk
from tests.bus.support import NOW, filler, new_metrics, until, value_of
from tests.bus.tally import ALARM_SECONDS, command

SOURCE = TopicPartition("incidents", 0)


class Broker:
    """What a consumer's client knows of one partition."""

    def __init__(self, end: int, position: int = 0) -> None:
        self.end, self.at = end, position

    async def end_offsets(self, sources: list[TopicPartition]) -> dict[TopicPartition, int]:
        """The same for each."""
        return dict.fromkeys(sources, self.end)

    async def position(self, _: TopicPartition) -> int:
        """How far it was fetched."""
        return self.at


def a_worker(*sources: TopicPartition, timers: tuple[int, float] = (0, 0.0)) -> Any:
    """A worker that has fetched nothing."""
    lanes = [Lane(source, urgent=False, outsiders=False) for source in sources]
    return SimpleNamespace(lanes=lanes, processed={}, processor=SimpleNamespace(timers=lambda: timers))


async def test_a_group_that_is_behind_is_seen_beside_one_that_reads_the_same_topic_and_is_not() -> None:
    metrics, clock = new_metrics(), ManualClock(NOW)
    behind, done = (Watch(group, metrics, clock, 3600) for group in ("notify", "notify-disclosure"))
    client: Any = Broker(end=7)
    await behind.look(client, [a_worker(SOURCE)])
    client.end = 0
    await done.look(client, [a_worker(SOURCE)])
    assert value_of(metrics.lag, "notify", "incidents", 0) == 7
    assert value_of(metrics.lag, "notify-disclosure", "incidents", 0) == 0


@pytest.mark.parametrize("processed", [{}, {SOURCE: 4}], ids=["the first of all", "a later one"])
async def test_a_record_that_is_being_decided_on_grows_old_like_one_that_waits(
    processed: dict[TopicPartition, int],
) -> None:
    metrics = new_metrics()
    watch = Watch("notify", metrics, ManualClock(NOW), 3600)
    worker = a_worker(SOURCE)
    worker.processed |= processed
    [lane] = worker.lanes
    lane.offer(filler(SOURCE, [4]))
    assert len(lane.take(10)) == 1
    client: Any = Broker(end=5, position=5)

    async def grows_old() -> bool:
        await watch.look(client, [worker])
        return value_of(metrics.oldest_unprocessed_age_seconds, "notify", "incidents") > 0.1

    old: bool = await until(grows_old, "the record grows old", 5)
    assert old
    assert value_of(metrics.lag, "notify", "incidents", 0) == 1
    worker.processed[SOURCE] = 5
    await watch.look(client, [worker])
    assert value_of(metrics.oldest_unprocessed_age_seconds, "notify", "incidents") == 0


async def test_the_age_of_what_another_process_reads_now_is_forgotten() -> None:
    metrics = new_metrics()
    watch, client = Watch("notify", metrics, ManualClock(NOW), 3600), Broker(end=7)
    await watch.look(client, [a_worker(SOURCE)])
    watch.forget([SOURCE])
    assert not [s for family in metrics.oldest_unprocessed_age_seconds.collect() for s in family.samples]  # type: ignore[attr-defined]


async def test_the_timers_of_all_partitions_are_shown_together() -> None:
    metrics = new_metrics()
    watch = Watch("dispatch", metrics, ManualClock(NOW), 3600)
    found = [a_worker(timers=(3, 0.0)), a_worker(timers=(2, 41.0)), a_worker()]
    await watch.look(Broker(0), found)
    assert value_of(metrics.timers_pending, "dispatch") == 5
    assert value_of(metrics.timers_overdue_seconds, "dispatch") == 41


class AwayAtTimes:
    """A store that does not answer while it is `away`, and takes nothing while it is `full`."""

    def __init__(self, store: Store) -> None:
        self._store, self.away, self.full = store, False, False

    def __getattr__(self, name: str) -> Any:
        if self.away:
            raise StoreUnavailable("away")
        return getattr(self._store, name)

    async def append(self, commits: Sequence[Commit]) -> list[bool]:
        """As the store's."""
        if self.away or self.full:
            raise StoreUnavailable("away")
        return await self._store.append(commits)


async def test_a_timer_that_cannot_be_decided_is_overdue_until_it_is(store: Store) -> None:
    at_times: Any = AwayAtTimes(store)
    desk = await new_desk(at_times)
    await desk.take(command("alarm", note=1))
    assert desk.stateful.timers() == (1, 0.0)
    at_times.away = True
    desk.clock.advance(ALARM_SECONDS + 20)
    firing = asyncio.create_task(desk.stateful.fire())
    assert await until(lambda: desk.place.patience.waiting, "the store is waited for")
    assert desk.stateful.timers()[1] == 20
    at_times.away = False
    await firing
    assert desk.stateful.timers() == (0, 0.0)


async def test_a_store_that_can_be_read_and_takes_nothing_is_seen_to_be_waited_for_all_the_time(
    store: Store,
) -> None:
    at_times: Any = AwayAtTimes(store)
    desk = await new_desk(at_times)
    at_times.full = True
    taking = asyncio.create_task(desk.take(command("alarm", note=1)))
    tries = desk.metrics.retried
    assert await until(lambda: value_of(tries, Reason.STORE_UNAVAILABLE) > 0, "it was tried")
    seen = set()

    def tried_again() -> bool:
        seen.add(desk.place.patience.waiting)
        return value_of(tries, Reason.STORE_UNAVAILABLE) > 3

    assert await until(tried_again, "it is tried again")
    assert seen == {Reason.STORE_UNAVAILABLE}
    assert value_of(desk.metrics.transient_wait, Reason.STORE_UNAVAILABLE) == 1
    at_times.full = False
    await taking
    assert desk.place.patience.waiting is None
    assert value_of(desk.metrics.transient_wait, Reason.STORE_UNAVAILABLE) == 0
