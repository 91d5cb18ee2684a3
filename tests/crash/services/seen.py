"""A record as an outsider reads it, and whether its effect was seen before."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

POISON = "crash-poison"
"""The header that numbers what was sent to be unusable."""
HEARTBEAT = "agency.heartbeat"


class Seen(NamedTuple):
    """One record; `digest` is that of its key, body and own headers."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: Mapping[str, bytes]
    digest: int

    @property
    def id(self) -> str:
        """The CloudEvents id."""
        return self.headers.get("ce_id", b"").decode()

    @property
    def kind(self) -> str:
        """`noun.verb` of the CloudEvents type."""
        return ".".join(self.headers.get("ce_type", b"").decode().split(".")[2:4])

    @property
    def time(self) -> str:
        """When it was decided, as it was written."""
        return self.headers.get("ce_time", b"").decode()

    @property
    def data(self) -> dict[str, Any]:
        """The body. Raises ValueError when it is not JSON."""
        found: dict[str, Any] = json.loads(self.value)
        return found

    @property
    def dead(self) -> bool:
        """Whether it is a dead letter."""
        return self.topic.endswith(".dlq")

    @property
    def identity(self) -> tuple[str, str]:
        """What makes it one effect: its id on its topic; of a dead letter, whence it came."""
        if not self.dead:
            return self.topic, self.id
        place = (self.headers.get(f"dlq_{name}", b"").decode() for name in ("partition", "offset"))
        return self.topic, "/".join(place)


def seen(
    topic: str,
    partition: int,
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes | None]],
) -> Seen:
    """Take a record as it came; a dead letter is judged as what it was before it was one."""
    own = [(name, text or b"") for name, text in headers]
    digest = hash((key, value, *(header for header in own if not header[0].startswith("dlq_"))))
    return Seen(topic, partition, key or b"", value or b"", dict(own), digest)


class Firsts:
    """Which effects have occurred; what comes again must be the same bytes."""

    def __init__(self) -> None:
        self._digests: dict[tuple[str, str], int] = {}
        self._topics: dict[str, str] = {}
        self._homes: dict[tuple[str, bytes], int] = {}
        self.repeats = self.altered = self.ambiguous = self.strays = 0

    def see(self, record: Seen) -> bool:
        """Note an occurrence; return whether it is the first."""
        before = self._digests.get(record.identity)
        if before is None:
            self._digests[record.identity] = record.digest
            return True
        self.repeats += before == record.digest
        self.altered += before != record.digest
        return False

    def place(self, record: Seen) -> None:
        """Note where a first occurrence was: a key keeps to its partition, an id to its topic."""
        home = self._homes.setdefault((record.topic, record.key), record.partition)
        self.strays += home != record.partition
        self.ambiguous += self._topics.setdefault(record.id, record.topic) != record.topic
