"""What one run calls its topics, groups and database: runs on the same servers never meet."""

from collections.abc import Mapping
from dataclasses import dataclass

PARTITIONS = 6
ROLES = ("relay", "desk", "sink")
DLQ_BYTES = 4 * 1024 * 1024
STAMPED = {"message.timestamp.type": "LogAppendTime"}
"""When an effect came is for the broker to say: the reader may be late, and members are on trial."""


@dataclass(frozen=True, slots=True)
class World:
    """The names that begin with one run's own prefix."""

    prefix: str

    def topic(self, name: str, urgent: bool = False) -> str:
        """`received`, `located`, `incidents` or `delivered`; the first two have an urgent lane."""
        return f"{self.prefix}.{name}{'.urgent' if urgent else ''}"

    def group(self, role: str) -> str:
        """The consumer group of a role."""
        return f"{self.prefix}-{role}"

    @property
    def read(self) -> dict[str, str]:
        """What the checker reads: the part a topic plays, by its name."""
        parts = {self.topic("located", lane): "located" for lane in (False, True)}
        parts |= {self.topic("incidents"): "incidents", self.topic("delivered"): "delivered"}
        return parts | dict.fromkeys(self.dead_letters, "dead")

    @property
    def dead_letters(self) -> list[str]:
        """Every dead-letter topic."""
        inputs = {"relay": "received", "desk": "located"}
        laned = [
            f"{self.topic(topic, lane)}.{self.group(role)}.dlq"
            for role, topic in inputs.items()
            for lane in (False, True)
        ]
        return [*laned, f"{self.topic('incidents')}.{self.group('sink')}.dlq"]

    def topics(self) -> Mapping[str, dict[str, str]]:
        """Every topic to create, with its configuration."""
        received = {self.topic("received", lane): dict[str, str]() for lane in (False, True)}
        letters = {name: {"max.message.bytes": str(DLQ_BYTES)} for name in self.dead_letters}
        plain = {name: STAMPED for name, part in self.read.items() if part != "dead"}
        replays = {f"{self.group(role)}.replay": dict[str, str]() for role in ROLES}
        # For the control that gives the urgent lane a consumer of its own.
        urgent = f"{self.group('desk')}.urgent"
        own = {f"{urgent}.replay": {}, f"{self.topic('located', True)}.{urgent}.dlq": dict[str, str]()}
        return {**received, **plain, **letters, **replays, **own}
