"""What notify measures of itself: one typed list, on the registry of the process."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

from prometheus_client import Counter, Gauge

from services.notify.verdict import Verdict
from shared.telemetry.metric import Catalogue, Metric, counter, gauge


class Trouble(StrEnum):
    """Why an attempt to reach a webhook failed; nothing else is ever counted."""

    UNRESOLVED = "unresolved"
    FORBIDDEN_ADDRESS = "forbidden_address"
    CONNECT = "connect"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"
    REDIRECT = "redirect"
    REFUSED = "refused"
    SERVER_ERROR = "server_error"


class ByAgency(Protocol):
    def labels(self, agency: str, /) -> Counter: ...


class ByAgencyReason(Protocol):
    def labels(self, agency: str, reason: str, /) -> Counter: ...


class ByAgreement(Protocol):
    def labels(self, agency: str, agreement: str, /) -> Gauge: ...
    def clear(self) -> None: ...


class ByEndpoint(Protocol):
    def labels(self, endpoint: str, /) -> Counter: ...


class ByEndpointTrouble(Protocol):
    def labels(self, endpoint: str, reason: Trouble, /) -> Counter: ...


class ByOutcome(Protocol):
    def labels(self, outcome: str, /) -> Counter: ...


class NotifyMetrics(Catalogue):
    """The catalogue, for the registry of the process. A decision made again is counted again."""

    shared: Metric[ByAgency] = counter(
        "notify_shared_total", "Incident events decided to be shared.", "agency", unit="events"
    )
    withheld: Metric[ByAgencyReason] = counter(
        "notify_withheld_total",
        "Incident events in scope of an agreement and withheld.",
        "agency",
        "reason",
        unit="events",
    )
    heartbeats: Metric[ByAgency] = counter(
        "notify_heartbeats_total", "Heartbeats sent.", "agency", unit="events"
    )
    heartbeats_missed: Metric[ByAgencyReason] = counter(
        "notify_heartbeats_missed_total",
        "Heartbeats not sent: no_topic, unacknowledged or held_up.",
        "agency",
        "reason",
        unit="events",
    )
    agreements: Metric[Gauge] = gauge(
        "notify_agreements", "Agreements known, whether in effect or not.", unit="agreements"
    )
    agreements_current: Metric[Gauge] = gauge(
        "notify_agreements_current",
        "1 while the agreements are known to be current; without it nothing is shared.",
        unit="0 or 1",
    )
    agreement_ends: Metric[ByAgreement] = gauge(
        "notify_agreement_ends_timestamp_seconds",
        "When an agreement runs out, since the Unix epoch; none of one that was withdrawn.",
        "agency",
        "agreement",
        unit="seconds",
    )
    agreements_unreadable: Metric[Counter] = counter(
        "notify_agreements_unreadable_total", "Agreements that could not be read: nothing is granted by them."
    )
    webhooks_delivered: Metric[ByEndpoint] = counter(
        "notify_webhooks_delivered_total", "Events an endpoint took.", "endpoint", unit="events"
    )
    webhooks_failed: Metric[ByEndpointTrouble] = counter(
        "notify_webhook_attempts_failed_total",
        "Attempts that an endpoint did not take.",
        "endpoint",
        "reason",
        unit="attempts",
    )
    webhooks_given_up: Metric[ByEndpointTrouble] = counter(
        "notify_webhooks_given_up_total",
        "Events an endpoint will not get any more.",
        "endpoint",
        "reason",
        unit="events",
    )
    disclosures: Metric[ByOutcome] = counter(
        "notify_disclosures_total",
        "Requests for a sealed block by outcome: granted, or the reason of the refusal.",
        "outcome",
        unit="requests",
    )

    def count(self, verdicts: Iterable[Verdict]) -> None:
        """Count what was decided about one event."""
        for verdict in verdicts:
            if verdict.shared is not None:
                self.shared.labels(verdict.agency).inc()
            else:
                self.withheld.labels(verdict.agency, verdict.reason or "unknown").inc()
