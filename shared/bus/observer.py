"""Counts and traces what a worker does, once per slice, so that measuring costs little per record."""

import logging
import time
from collections import Counter
from collections.abc import Sequence

from shared.bus.incoming import Incoming
from shared.bus.work import Outcome
from shared.clock import Clock
from shared.store import Parked
from shared.telemetry import Metrics, Tracing

log = logging.getLogger(__name__)


class Observer:
    """The metrics and spans of one handler."""

    def __init__(self, group: str, handler: str, metrics: Metrics, tracing: Tracing, clock: Clock) -> None:
        self._group, self._handler = group, handler
        self._metrics, self._tracing, self._clock = metrics, tracing, clock
        self._seconds = metrics.handler_seconds.labels(handler)
        self._size = metrics.batch_size.labels(handler)

    def processed(self, records: Sequence[Incoming], outcome: Outcome, started: float) -> None:
        """Note a slice whose processing began at `started` (perf_counter seconds)."""
        seconds = time.perf_counter() - started
        self._seconds.observe(seconds)
        self._size.observe(len(records))
        for topic, count in Counter([r.topic for r in records]).items():
            self._metrics.consumed.labels(topic).inc(count)
        for (topic, reason), count in outcome.dead.items():
            self._metrics.failed.labels(topic, reason).inc(count)
            self._metrics.dead_lettered.labels(topic, reason).inc(count)
            log.error("dead-lettered", extra={"topic": topic, "reason": reason.value, "count": count})
        for topic, count in Counter(p.topic for p in outcome.parked).items():
            self._metrics.parked.labels(topic).inc(count)
        if self._tracing.recording:
            self._trace(records, seconds)

    def acknowledged(self, outcome: Outcome) -> None:
        """Note the age of a slice's first event, now that all it caused is on the broker."""
        if outcome.first is not None:
            topic, time_ = outcome.first
            age = (self._clock.now() - time_).total_seconds()
            self._metrics.end_to_end_age_seconds.labels(self._group, topic).observe(max(0.0, age))

    def released(self, parked: Sequence[Parked]) -> None:
        """Note parked records that were processed after their replay."""
        for topic, count in Counter(p.topic for p in parked).items():
            self._metrics.released.labels(topic).inc(count)

    def paused(self, topic: str, seconds: float) -> None:
        """Note that `topic` is closed, on one partition, for `seconds` because too much of it was poison."""
        log.error("an input is paused: too many dead letters", extra={"topic": topic, "seconds": seconds})
        self._metrics.paused_inputs.labels(topic).inc()

    def resumed(self, topic: str) -> None:
        """Note that `topic` is open again on that partition, or somebody else's now."""
        log.warning("an input is read again", extra={"topic": topic})
        self._metrics.paused_inputs.labels(topic).dec()

    def _trace(self, records: Sequence[Incoming], seconds: float) -> None:
        end = time.time_ns()
        start = end - int(seconds * 1e9)
        for record in records:
            for name, value in record.headers:
                if name == "traceparent" and value and value.endswith(b"1"):
                    attributes = {"messaging.system": "kafka", "messaging.destination.name": record.topic}
                    self._tracing.span(
                        self._handler, value.decode("ascii", "replace"), attributes, start, end
                    )
