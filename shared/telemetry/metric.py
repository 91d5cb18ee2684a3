"""How one metric is declared: name, kind, labels and help in one place, for the registry and for the page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar, overload

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

PREFIX = "ruamjai_"

Registered = TypeVar("Registered", covariant=True)
Kind = type[Counter] | type[Gauge] | type[Histogram]


@dataclass(frozen=True)
class Metric(Generic[Registered]):
    """A metric's declaration. As a class attribute it types the attribute of the same name on instances,
    where the class has put the registered `prometheus_client` object."""

    kind: Kind
    name: str
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    buckets: tuple[float, ...] = ()

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Registered: ...
    def __get__(self, instance: object | None, owner: type) -> object:
        """Reached through the class only: on an instance the registered object comes first."""
        return self

    def register(self, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
        """A new metric on `registry`; raises ValueError when the name is taken there."""
        options: dict[str, Any] = {"buckets": self.buckets} if self.buckets else {}
        return self.kind(PREFIX + self.name, self.help, self.labels, registry=registry, **options)


class Catalogue(Collector):
    """The metrics that a subclass declares as its attributes, on `registry` or on one of its own.

    With its own, hand it to `Service.expose`. Raises ValueError when `registry` has one of the names already.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._registry = CollectorRegistry() if registry is None else registry
        for attribute, metric in self.declared().items():
            self.__dict__[attribute] = metric.register(self._registry)

    @classmethod
    def declared(cls) -> dict[str, Metric[object]]:
        """Return every declaration by its attribute's name, in the catalogue's order."""
        return {name: value for name, value in vars(cls).items() if isinstance(value, Metric)}

    def collect(self) -> Iterable[Family]:
        """Return the present values."""
        return self._registry.collect()


def counter(name: str, help: str, *labels: str, unit: str = "records") -> Metric[Any]:  # noqa: A002
    """Only ever grows; the name ends in `_total`."""
    return Metric(Counter, name, help, labels, unit)


def gauge(name: str, help: str, *labels: str, unit: str = "records") -> Metric[Any]:  # noqa: A002
    """Goes up and down."""
    return Metric(Gauge, name, help, labels, unit)


def histogram(
    name: str,
    help: str,  # noqa: A002
    *labels: str,
    buckets: tuple[float, ...],
    unit: str = "seconds",
) -> Metric[Any]:
    """A distribution; `buckets` are upper bounds in `unit`."""
    return Metric(Histogram, name, help, labels, unit, buckets)
