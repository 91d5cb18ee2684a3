"""What a user of Kafka may do. There are no denials: whatever is not listed is denied."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["topic", "group"]
Operation = Literal["Create", "Describe", "Read", "Write"]
"""Kafka's own words. Read and Write include Describe; Write on any topic lets a producer be idempotent."""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """Operations on one resource, or with `prefix` on all whose names begin so."""

    kind: Kind
    name: str
    operations: tuple[Operation, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """What a user may use of each broker; above it the broker delays its answers."""

    producer_byte_rate: int
    """Bytes a second."""
    consumer_byte_rate: int
    """Bytes a second."""
    request_percentage: int
    """Of one network or request thread."""


@dataclass(frozen=True, slots=True)
class User:
    """One user, its rights sorted, and its quota where it is nobody of ours."""

    name: str
    rights: tuple[Right, ...]
    quota: Quota | None = None


def topics(
    *, reads: Iterable[str] = (), writes: Iterable[str] = (), creates: Iterable[str] = ()
) -> list[Right]:
    """Return one right for each topic named; who may create a topic may also see it."""
    found: dict[str, set[Operation]] = {}
    for name in reads:
        found.setdefault(name, set()).add("Read")
    for name in writes:
        found.setdefault(name, set()).add("Write")
    for name in creates:
        found.setdefault(name, set()).update({"Create", "Describe"})
    return sorted(Right("topic", name, tuple(sorted(operations))) for name, operations in found.items())
