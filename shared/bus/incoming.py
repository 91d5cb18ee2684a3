"""What the kernel takes in: stretches of a partition's log as fetched, and the records they unpack to."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

Headers = Sequence[tuple[str, bytes | None]]


class Incoming(Protocol):
    """What every record read from Kafka tells; `timestamp` is epoch milliseconds."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...


@dataclass(slots=True)
class Fetched:
    """A fetched record. Not frozen: it is made for every record, and freezing costs four times as much."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Stretch(Protocol):
    """Consecutive offsets of one partition, still packed: a record is cheapest when unpacked just before use.

    Its offsets may have gaps. `offset` is the first one wanted and may be raised; those before it are not
    unpacked. It can be unpacked once, and `may_hold` pieces of bytes unless it is certain that none is in it.
    """

    offset: int

    @property
    def next_offset(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def first_ms(self) -> int: ...
    def may_hold(self, pieces: Iterable[bytes]) -> bool: ...
    def records(self) -> Iterator[Incoming]: ...


@dataclass(slots=True)
class Unpacked:
    """A stretch whose records had to be looked at before their time."""

    rows: Sequence[Incoming]
    next_offset: int
    size: int
    first_ms: int
    offset: int = 0

    def may_hold(self, pieces: Iterable[bytes]) -> bool:
        """Whether it has to be looked into for `pieces`: that costs little now."""
        return True

    def records(self) -> Iterator[Incoming]:
        """Yield them again."""
        return iter(self.rows)
