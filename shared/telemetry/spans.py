"""What takes finished spans."""

from collections.abc import Mapping
from typing import Protocol

Attributes = Mapping[str, str | bool | int | float]


class Recorder(Protocol):
    """What takes finished spans; `record` must not block, `close` may."""

    def record(
        self, name: str, parent: tuple[int, int], attributes: Attributes, start_ns: int, end_ns: int
    ) -> None: ...

    def close(self) -> None: ...
