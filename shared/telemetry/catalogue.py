"""Every metric the platform has: the one list that code, dashboards, alerts and the reference page share."""

import platform
from importlib import metadata

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from shared.telemetry.labels import (
    ByBuild,
    ByFile,
    ByGroup,
    ByGroupTopic,
    ByGroupTopicPartition,
    ByHandler,
    ByKind,
    ByReason,
    ByTopic,
    ByTopicReason,
)
from shared.telemetry.metric import Catalogue, Metric, counter, gauge, histogram

FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
AGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


class Metrics(Catalogue):
    """The platform's catalogue registered on one registry, each attribute a `prometheus_client` object.

    `metrics.consumed.labels(topic)` is bound once and then incremented per batch. Raises ValueError when
    the registry has a catalogue already.
    """

    consumed: Metric[ByTopic[Counter]] = counter(
        "consumed_total", "Records read from an input topic and handed to a handler.", "topic"
    )
    produced: Metric[ByTopic[Counter]] = counter(
        "produced_total", "Records the broker acknowledged on an output topic.", "topic"
    )
    failed: Metric[ByTopicReason[Counter]] = counter(
        "failed_total", "Input records that could not be processed.", "topic", "reason"
    )
    dead_lettered: Metric[ByTopicReason[Counter]] = counter(
        "dead_lettered_total", "Input records written to the dead-letter topic.", "topic", "reason"
    )
    parked: Metric[ByTopic[Counter]] = counter(
        "parked_total", "Input records set aside in order behind a poisoned key.", "topic"
    )
    released: Metric[ByTopic[Counter]] = counter(
        "released_total", "Parked records processed after the replay of their key.", "topic"
    )
    retried: Metric[ByReason[Counter]] = counter(
        "retried_total", "Attempts made again after a fault.", "reason", unit="attempts"
    )
    redone: Metric[ByTopic[Counter]] = counter(
        "redone_total", "Input records that had been decided before and were skipped.", "topic"
    )
    repeated: Metric[Counter] = counter(
        "repeated_total", "Events published again after a fault, byte for byte the same.", unit="events"
    )
    handler_seconds: Metric[ByHandler[Histogram]] = histogram(
        "handler_seconds", "Real time one batch spent in its handler.", "handler", buckets=FAST
    )
    batch_size: Metric[ByHandler[Histogram]] = histogram(
        "batch_size", "Records in one batch.", "handler", buckets=SIZES, unit="records"
    )
    end_to_end_age_seconds: Metric[ByGroupTopic[Histogram]] = histogram(
        "end_to_end_age_seconds",
        "Age of a processed record, all it caused acknowledged: now minus its event's time, which is that of "
        "the report or, after a decision, that of the decision.",
        "group",
        "topic",
        buckets=AGES,
    )
    lag: Metric[ByGroupTopicPartition[Gauge]] = gauge(
        "lag", "Records of an owned partition not yet processed.", "group", "topic", "partition"
    )
    oldest_unprocessed_age_seconds: Metric[ByGroupTopic[Gauge]] = gauge(
        "oldest_unprocessed_age_seconds",
        "Age of the oldest record not yet processed; 0 when there is none.",
        "group",
        "topic",
        unit="seconds",
    )
    commits: Metric[ByKind[Counter]] = counter(
        "commits_total", "Offset commits and commit-log appends that succeeded.", "kind", unit="commits"
    )
    producer_recreated: Metric[ByReason[Counter]] = counter(
        "producer_recreated_total", "Kafka producers replaced by a new one.", "reason", unit="producers"
    )
    consumer_recreated: Metric[ByReason[Counter]] = counter(
        "consumer_recreated_total", "Kafka consumers replaced by a new one.", "reason", unit="consumers"
    )
    connections_refused: Metric[ByReason[Counter]] = counter(
        "connections_refused_total",
        "Connections to Kafka that failed because one side refused the other.",
        "reason",
        unit="connections",
    )
    certificate_expires: Metric[ByFile[Gauge]] = gauge(
        "certificate_expires_timestamp_seconds",
        "When the first certificate runs out of a file this process started with: `authority` or `client`.",
        "file",
        unit="seconds",
    )
    rebalances: Metric[Counter] = counter(
        "rebalances_total", "Partition assignments received from the group.", unit="rebalances"
    )
    owned_partitions: Metric[ByGroup[Gauge]] = gauge(
        "owned_partitions", "Partitions this process owns now.", "group", unit="partitions"
    )
    paused_inputs: Metric[ByTopic[Gauge]] = gauge(
        "paused_inputs",
        "Partitions of an input that are paused because of its own faults.",
        "topic",
        unit="partitions",
    )
    transient_wait: Metric[ByReason[Gauge]] = gauge(
        "transient_wait",
        "Partitions whose work waits in place for something outside to return.",
        "reason",
        unit="partitions",
    )
    timers_fired: Metric[Counter] = counter(
        "timers_fired_total", "Timers that came due and were handled.", unit="timers"
    )
    timers_pending: Metric[ByGroup[Gauge]] = gauge(
        "timers_pending", "Timers set and not yet answered, in owned partitions.", "group", unit="timers"
    )
    timers_overdue_seconds: Metric[ByGroup[Gauge]] = gauge(
        "timers_overdue_seconds",
        "For how long the earliest timer has been due; 0 when none is.",
        "group",
        unit="seconds",
    )
    clock_timestamp_seconds: Metric[Gauge] = gauge(
        "clock_timestamp_seconds",
        "What the process takes for the time, since the Unix epoch.",
        unit="seconds",
    )
    build_info: Metric[ByBuild[Gauge]] = gauge(
        "build_info", "Always 1; the labels say what runs.", "version", "python", unit="always 1"
    )

    def __init__(self, registry: CollectorRegistry) -> None:
        # Creation times double the number of series, and no alert reads them.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        super().__init__(registry)
        self.build_info.labels(_version(), platform.python_version()).set(1)


def _version() -> str:
    try:
        return metadata.version("ruamjai")
    except metadata.PackageNotFoundError:  # run from a checkout
        return "checkout"
