"""What intake measures besides what every service does."""

from typing import Protocol

from prometheus_client import Counter, Histogram

from shared.telemetry.catalogue import AGES, FAST
from shared.telemetry.metric import Catalogue, Metric, counter, histogram


class ByStatus(Protocol):
    def labels(self, status: int, /) -> Counter: ...


class ByLane(Protocol):
    def labels(self, lane: str, /) -> Counter: ...


class SecondsByLane(Protocol):
    def labels(self, lane: str, /) -> Histogram: ...


class IntakeMetrics(Catalogue):
    """The catalogue, registered on one registry."""

    answers: Metric[ByStatus] = counter(
        "intake_answers_total", "Answers of the HTTP API.", "status", unit="answers"
    )
    accepted: Metric[ByLane] = counter(
        "intake_accepted_total", "Reports made durable for the first time.", "lane", unit="reports"
    )
    repeated: Metric[Counter] = counter(
        "intake_repeated_total", "Requests answered as an earlier one with the same key.", unit="requests"
    )
    accept_seconds: Metric[Histogram] = histogram(
        "intake_accept_seconds", "From a valid request to its durable report.", buckets=FAST
    )
    forwarded: Metric[ByLane] = counter(
        "intake_forwarded_total", "Accepted records the broker acknowledged.", "lane"
    )
    forward_seconds: Metric[SecondsByLane] = histogram(
        "intake_forward_seconds", "From acceptance to the broker's acknowledgement.", "lane", buckets=AGES
    )
    taken_over: Metric[Counter] = counter(
        "intake_taken_over_total", "Records forwarded for a replica that was taken for dead."
    )
    erased: Metric[Counter] = counter(
        "intake_erased_total", "Reports whose personal data was erased.", unit="reports"
    )
