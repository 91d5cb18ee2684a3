"""The commit being made, and what the slice it is made from has come to so far."""

from datetime import UTC, datetime

from shared.bus.commits import Decided, Emitted
from shared.bus.work import Outcome
from shared.contracts.kafka import format_time


class Draft:
    """The commit being made, and what the slice has come to so far."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms
        self.now = datetime.fromtimestamp(at_ms / 1000, UTC)
        self.wire_time = format_time(self.now).encode()
        self.outcome = Outcome()
        self.seen: set[str] = set()
        self.close()

    def close(self) -> None:
        """Start the next commit."""
        self.causes: list[str] = []
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, decided: Decided, part: bytes) -> None:
        """Take in one cause's answers, with their encoded form."""
        self.causes.append(decided.cause)
        self.seen.add(decided.cause)
        self.parts.append(part)
        self.size += len(part)
        self.outcome.records += (a.record for a in decided.answers if isinstance(a, Emitted))
