"""Traces across services: W3C trace context made, tested and recorded at next to no cost when unused."""

import re
from hashlib import blake2b
from threading import Thread

from shared.settings import Settings
from shared.telemetry.spans import Attributes, Recorder

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
_LENGTH = 55


class Tracing:
    """Makes trace contexts for root events and records spans of sampled ones.

    `sample_ratio` (0 to 1) decides for the whole platform, wherever a trace starts; the `recorder` decides
    whether this process contributes its own spans.
    """

    def __init__(self, sample_ratio: float, recorder: Recorder | None = None) -> None:
        self._recorder = recorder
        self._threshold = round(sample_ratio * (1 << 64))

    @property
    def recording(self) -> bool:
        """Whether this process contributes spans at all."""
        return self._recorder is not None

    def is_sampled(self, traceparent: str) -> bool:
        """Whether `span` would record: tracing is on and the flags' low bit is set."""
        return self._recorder is not None and len(traceparent) == _LENGTH and traceparent[54] in "13579bdf"

    def new_traceparent(self, trace_seed: bytes) -> str:
        """The trace context of a root event, a pure function of its 16-byte id and the ratio.

        The trace id is the seed. Span id and sampling decision come from a hash of it, for the bits of a
        UUIDv7 are no fair dice: they hold the version, the variant and often a counter.
        Raises ValueError unless the seed is 16 bytes, not all zero.
        """
        if len(trace_seed) != 16 or not any(trace_seed):
            raise ValueError("a trace seed is 16 bytes, not all zero")
        digest = blake2b(trace_seed, digest_size=16).digest()
        sampled = int.from_bytes(digest[8:]) < self._threshold
        return f"00-{trace_seed.hex()}-{digest[:8].hex()}-{'01' if sampled else '00'}"

    def span(self, name: str, traceparent: str, attributes: Attributes, start_ns: int, end_ns: int) -> None:
        """Records one finished span under the remote parent; times in Unix nanoseconds.

        Never blocks. Without a recorder, or with a traceparent that is not one, it does nothing.
        """
        parent = _TRACEPARENT.fullmatch(traceparent)
        if self._recorder is not None and parent is not None:
            ids = int(parent[1], 16), int(parent[2], 16)
            self._recorder.record(name, ids, attributes, start_ns, end_ns)

    def shutdown(self, deadline_seconds: float = 5.0) -> bool:
        """Sends what is still queued; False when the collector did not take it in time. Blocks meanwhile."""
        if self._recorder is None:
            return True
        closing = Thread(target=self._recorder.close, name="trace-flush", daemon=True)
        closing.start()
        closing.join(deadline_seconds)
        return not closing.is_alive()


def tracing_from(settings: Settings) -> Tracing:
    """Tracing as the settings ask for: recording only where OTEL_EXPORTER_OTLP_ENDPOINT is set."""
    endpoint = settings.otel_exporter_otlp_endpoint
    if endpoint is None:
        return Tracing(settings.trace_sample_ratio)
    from shared.telemetry.otlp import OtlpRecorder  # costs tens of megabytes that most processes do not need

    recorder = OtlpRecorder(endpoint, settings.otel_service_name, settings.trace_sample_ratio)
    return Tracing(settings.trace_sample_ratio, recorder)
