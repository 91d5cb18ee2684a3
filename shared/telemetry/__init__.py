"""What every service shows of itself: metrics, logs, traces and health."""

from shared.telemetry.catalogue import Metrics
from shared.telemetry.logs import configure_logging, log_about, log_cause, log_context
from shared.telemetry.probes import Health, Probes
from shared.telemetry.reasons import CommitKind, Reason
from shared.telemetry.tracing import Tracing, tracing_from

__all__ = [
    "CommitKind",
    "Health",
    "Metrics",
    "Probes",
    "Reason",
    "Tracing",
    "configure_logging",
    "log_about",
    "log_cause",
    "log_context",
    "tracing_from",
]
