"""What a store keeps, as plain frozen values: the words of the commit log, the same for every adapter."""

from collections.abc import Mapping
from dataclasses import dataclass

MAX_BODY_BYTES = 1024 * 1024
MAX_STATE_BYTES = 15 * 1024 * 1024  # a document of MongoDB ends at 16 MiB; every adapter keeps that limit


@dataclass(frozen=True, slots=True)
class Commit:
    """What one stateful consumer decided for one batch of one partition.

    `stream` is "<consumer>/<partition>", `n` counts 1, 2, 3 … without gaps within it, `at` is the decision
    time in epoch milliseconds, `causes` are the ids of the events decided on, `body` is opaque to the store.
    Raises ValueError when it could not be stored.
    """

    stream: str
    n: int
    at: int
    causes: tuple[str, ...]
    body: bytes

    def __post_init__(self) -> None:
        check_name(self.stream)
        if self.n < 1:
            raise ValueError(f"commits of {self.stream} count from 1, not {self.n}")
        check_size(f"body of {self.stream}:{self.n}", self.body, MAX_BODY_BYTES)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of one key of a stream after its commit `n`."""

    stream: str
    key: str
    n: int
    state: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The single owner's hint where to start; an old one costs repeats, never correctness.

    Every key's snapshot is at least its state after `snapshot_n`; commits up to `published_n` are published
    and acknowledged.
    """

    stream: str
    snapshot_n: int = 0
    published_n: int = 0


@dataclass(frozen=True, slots=True)
class Parked:
    """A Kafka message behind a poisoned key. `lane` is "<group>/<partition>", `timestamp` is epoch ms."""

    lane: str
    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp: int
    reason: str

    def __post_init__(self) -> None:
        check_name(self.lane)


def check_name(name: str) -> None:
    """Raise ValueError on a stream or lane whose records could not be told from another's."""
    if ":" in name:
        raise ValueError(f"no colon in a stream or lane, it separates the parts of identities: {name!r}")


def check_states(stream: str, states: Mapping[str, bytes | None]) -> None:
    """Raise ValueError when a state is too large for a snapshot."""
    for key, state in states.items():
        check_size(f"state of {stream}:{key}", state or b"", MAX_STATE_BYTES)


def check_size(what: str, data: bytes, limit: int) -> None:
    """Raise ValueError when `data` is larger than `limit` bytes."""
    if len(data) > limit:
        raise ValueError(f"{what} has {len(data)} bytes, at most {limit} fit into one document")
