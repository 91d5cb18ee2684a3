"""What each set of labels looks like to a type checker; `prometheus_client` takes any object as a label.

A labelled metric is a parent: `labels(...)` gives the child that counts, to be bound once and kept.
"""

from typing import Protocol, TypeVar

from prometheus_client import Counter, Gauge, Histogram

from shared.telemetry.reasons import CommitKind, Reason

Child = TypeVar("Child", Counter, Gauge, Histogram, covariant=True)


class ByTopic(Protocol[Child]):
    def labels(self, topic: str, /) -> Child: ...
    def remove(self, topic: str, /) -> None: ...


class ByGroup(Protocol[Child]):
    def labels(self, group: str, /) -> Child: ...


class ByGroupTopic(Protocol[Child]):
    def labels(self, group: str, topic: str, /) -> Child: ...
    def remove(self, group: str, topic: str, /) -> None: ...


class ByGroupTopicPartition(Protocol[Child]):
    def labels(self, group: str, topic: str, partition: int, /) -> Child: ...
    def remove(self, group: str, topic: str, partition: int, /) -> None: ...


class ByTopicReason(Protocol[Child]):
    def labels(self, topic: str, reason: Reason, /) -> Child: ...


class ByReason(Protocol[Child]):
    def labels(self, reason: Reason, /) -> Child: ...


class ByFile(Protocol[Child]):
    def labels(self, file: str, /) -> Child: ...


class ByHandler(Protocol[Child]):
    def labels(self, handler: str, /) -> Child: ...


class ByKind(Protocol[Child]):
    def labels(self, kind: CommitKind, /) -> Child: ...


class ByBuild(Protocol[Child]):
    def labels(self, version: str, python: str, /) -> Child: ...
