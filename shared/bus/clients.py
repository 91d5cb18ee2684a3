"""The aiokafka clients the kernel works with, with every default that loses messages or time turned off."""

from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from shared.bus import tolerant
from shared.bus.publisher import BATCH_BYTES
from shared.bus.subscription import Subscription
from shared.settings import Settings, kafka_client_options

HEARTBEAT_MS = 500
FETCH_BYTES = 512 * 1024
"""Fetched per partition at once; a larger record still comes, alone."""
LARGEST_RECORD = 4 * 1024 * 1024
FETCH_WAIT_MS, LEAST_FETCH_WAIT_MS = 50, 5
"""How long a broker may hold a fetch back when it has nothing: aiokafka has one fetch per broker on its way,
so one that asks only for empty partitions holds up the others."""
REQUEST_MS = 30_000


def make_producer(settings: Settings) -> AIOKafkaProducer:
    """Return an idempotent producer that waits for all in-sync replicas. Not started."""
    return AIOKafkaProducer(
        **_options(settings),
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=BATCH_BYTES,
        max_request_size=LARGEST_RECORD,
        request_timeout_ms=REQUEST_MS,
    )


def make_consumer(settings: Settings, subscription: Subscription) -> AIOKafkaConsumer:
    """Return a consumer of its group that commits nothing by itself. Not started, nothing subscribed.

    Where a number must be owned whole the range assignor gives the same numbers of every input. No offset is
    ever reset silently: out of range is an error, and a new group's start is the kernel's decision.
    """
    tolerant.install()
    assignor = RangePartitionAssignor if subscription.whole else RoundRobinPartitionAssignor
    return AIOKafkaConsumer(
        **_options(settings),
        key_deserializer=tolerant.PACKED,
        group_id=subscription.group,
        group_instance_id=settings.kafka_group_instance_id if subscription.stateful else None,
        partition_assignment_strategy=(assignor,),
        enable_auto_commit=False,
        auto_offset_reset="none",
        session_timeout_ms=round(settings.kafka_session_seconds * 1000),
        heartbeat_interval_ms=HEARTBEAT_MS,
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_wait_ms=fetch_wait_ms(settings.clock_rate, subscription.gather),
        fetch_min_bytes=FETCH_BYTES if subscription.gather else 1,
        request_timeout_ms=REQUEST_MS,
        check_crcs=True,
    )


def fetch_wait_ms(clock_rate: float, gather: float = 0.0) -> int:
    """Return the real milliseconds that a broker may hold a fetch back: less where the clock runs fast.

    Else what a replay waits for the broker would grow, by the clock that it goes by.
    """
    wait_ms = max(FETCH_WAIT_MS, gather * 1000)
    return max(LEAST_FETCH_WAIT_MS, round(wait_ms / max(1.0, clock_rate)))


def _options(settings: Settings) -> dict[str, Any]:
    return {**kafka_client_options(settings), "client_id": f"ruamjai-{settings.service}"}
