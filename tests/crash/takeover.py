"""How long an input stood still: from the fault to the first effect of each partition that was hit."""

import math
import threading
from collections.abc import Collection

from tests.crash.checker import Sighting
from tests.crash.ledger import Ledger

ROLE_BEHIND = {"located": "relay", "incidents": "desk", "delivered": "sink"}
Input = tuple[bool, int]
"""Lane (urgent?) and partition of an input; for a desk, whose lanes have one owner, the lane is False."""


def input_of(role: str, topic: str, partition: int) -> Input:
    """Return the input that a partition of `topic` is to `role`."""
    return role == "relay" and topic.endswith(".urgent"), partition


class Takeover:
    """Waits for an effect of every one of `inputs` of `role`, stamped after `since` (default: `begun`).

    All times are epoch seconds by the broker's clock, which stamps what it appends; what is measured counts
    from `begun`. With `decided`, a `ce_time`, only effects decided after it count, not those only to be
    published.
    """

    def __init__(
        self,
        role: str,
        inputs: Collection[Input],
        begun: float,
        since: float | None = None,
        decided: str = "",
    ) -> None:
        self.role, self._begun, self._decided = role, begun, decided
        self._since = begun if since is None else since
        self._left = set(inputs)
        self._measured: dict[Input, float] = {}
        self.complete = threading.Event()
        if not self._left:
            self.complete.set()

    def see(self, role: str, origin: Input, seen: Sighting) -> None:
        """Note an effect of `role` on an input."""
        if role != self.role or origin not in self._left:
            return
        self._measure(origin, seen.timestamp)
        if seen.timestamp > self._since and seen.decided >= self._decided:
            self._left.remove(origin)
            if not self._left:
                self.complete.set()

    def _measure(self, origin: Input, at: float) -> None:
        self._measured[origin] = at - self._begun

    @property
    def seconds(self) -> list[float]:
        """What was measured, one for each input."""
        return list(self._measured.values())

    @property
    def left(self) -> list[Input]:
        """The inputs that still stand."""
        return sorted(self._left)


class HandOver(Takeover):
    """Measures, for each input, the longest time without an effect, until one stamped after `gone` came.

    A member that is told to leave works on until it gives up its inputs, so its own effects count as well.
    """

    def __init__(self, role: str, inputs: Collection[Input], begun: float) -> None:
        super().__init__(role, inputs, begun, since=math.inf)
        self._last = dict.fromkeys(inputs, begun)

    def gone(self, at: float) -> None:
        """Say when the member's process had ended."""
        self._since = at

    def _measure(self, origin: Input, at: float) -> None:
        self._measured[origin] = max(self._measured.get(origin, 0.0), at - self._last[origin])
        self._last[origin] = max(at, self._last[origin])


class Origins:
    """Which input an effect comes from, learned from the stream itself."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._desks: dict[str, int] = {}

    def of(self, seen: Sighting) -> Input:
        """Return the input."""
        if seen.part == "located":
            self._desks[seen.body["desk"]] = seen.partition
            return seen.body["urgent"], self._ledger.partitions[seen.body["number"]]
        return False, self.of_desk(seen.body["desk"]) if seen.part == "incidents" else seen.partition

    def of_desk(self, desk: str) -> int:
        """Return the partition of a desk, or -1 while it is not known."""
        return self._desks.get(desk, -1)
