"""Sends finished spans to an OpenTelemetry collector; the only module that loads the OpenTelemetry SDK."""

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags

from shared.telemetry.spans import Attributes


class OtlpRecorder:
    """Queues spans and posts them in batches to `<endpoint>/v1/traces` from a thread of its own.

    A full queue drops spans rather than hold anything up. OTEL_RESOURCE_ATTRIBUTES, OTEL_BSP_* and
    OTEL_EXPORTER_OTLP_HEADERS of the environment apply.
    """

    def __init__(self, endpoint: str, service_name: str, sample_ratio: float) -> None:
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
            resource=Resource.create({"service.name": service_name}),
            shutdown_on_exit=False,  # it would wait without a deadline
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces")))
        self._tracer = self._provider.get_tracer("ruamjai")

    def record(
        self, name: str, parent: tuple[int, int], attributes: Attributes, start_ns: int, end_ns: int
    ) -> None:
        """One span under the sampled remote parent (trace id, span id)."""
        remote = SpanContext(*parent, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        context = trace.set_span_in_context(NonRecordingSpan(remote), Context())
        span = self._tracer.start_span(
            name, context, kind=SpanKind.CONSUMER, attributes=attributes, start_time=start_ns
        )
        span.end(end_ns)

    def close(self) -> None:
        """Sends the queue and stops; may take as long as the exporter's own time-out."""
        self._provider.shutdown()
