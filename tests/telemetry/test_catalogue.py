"""The catalogue of metrics: what is declared is what is registered, typed and exposed."""

import inspect
from typing import get_args, get_type_hints

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from shared.telemetry import CommitKind, Metrics, Reason
from shared.telemetry.metric import Metric


def typed_labels(attribute: str) -> tuple[str, ...]:
    """The parameters of `labels` in the type a catalogue attribute is declared with."""
    (shape,) = get_args(get_type_hints(Metrics)[attribute])
    if shape in (Counter, Gauge, Histogram):
        return ()
    return tuple(inspect.signature(shape.labels).parameters)[1:]


@pytest.mark.parametrize("attribute", Metrics.declared())
def test_the_type_of_a_metric_asks_for_exactly_its_labels(attribute: str) -> None:
    assert typed_labels(attribute) == Metrics.declared()[attribute].labels


@pytest.mark.parametrize(("attribute", "metric"), Metrics.declared().items())
def test_a_metric_is_registered_as_the_kind_it_is_typed_as(attribute: str, metric: Metric[object]) -> None:
    (shape,) = get_args(get_type_hints(Metrics)[attribute])
    registered = getattr(Metrics(CollectorRegistry()), attribute)
    assert isinstance(registered, metric.kind)
    assert metric.kind in (shape, *get_args(shape))


def test_names_follow_the_prometheus_conventions() -> None:
    for metric in Metrics.declared().values():
        assert metric.name.endswith("_total") == (metric.kind is Counter), metric.name
        assert metric.name.endswith("_seconds") == (metric.unit == "seconds"), metric.name
        assert list(metric.buckets) == sorted(set(metric.buckets)), metric.name


def test_every_declared_metric_is_exposed_under_its_full_name() -> None:
    text = generate_latest(registry := CollectorRegistry()).decode()
    assert text == ""
    Metrics(registry)
    text = generate_latest(registry).decode()
    assert all(f"# TYPE ruamjai_{metric.name} " in text for metric in Metrics.declared().values())


def test_a_child_bound_once_counts_a_whole_batch() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    consumed = metrics.consumed.labels("reports.located")
    consumed.inc(500)
    metrics.failed.labels("reports.located", Reason.BAD_BODY).inc()
    metrics.commits.labels(CommitKind.LOG).inc()
    assert registry.get_sample_value("ruamjai_consumed_total", {"topic": "reports.located"}) == 500
    assert registry.get_sample_value(
        "ruamjai_failed_total", {"topic": "reports.located", "reason": "bad_body"}
    )
    assert registry.get_sample_value("ruamjai_commits_total", {"kind": "log"}) == 1


def test_the_lag_of_a_partition_given_away_is_no_longer_exposed() -> None:
    registry = CollectorRegistry()
    lag = Metrics(registry).lag
    lag.labels("notify", "incidents", 3).set(7)
    lag.remove("notify", "incidents", 3)
    labels = {"group": "notify", "topic": "incidents", "partition": "3"}
    assert registry.get_sample_value("ruamjai_lag", labels) is None


def test_two_catalogues_on_one_registry_are_refused() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    with pytest.raises(ValueError, match="Duplicated"):
        Metrics(registry)


def test_creation_times_are_not_exposed() -> None:
    registry = CollectorRegistry()
    Metrics(registry).consumed.labels("incidents").inc()
    assert "_created" not in generate_latest(registry).decode()


def test_a_reason_is_its_label_value_and_explains_itself() -> None:
    assert str(Reason.BAD_BODY) == "bad_body"
    assert Reason("bad_body") is Reason.BAD_BODY
    with pytest.raises(ValueError, match="oops"):
        Reason("oops")
    assert all(reason.meaning for reason in Reason)
