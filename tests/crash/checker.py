"""Judges what arrived against what was sent: pure, and without a line of the kernel it judges.

A repeat is the same `ce_id` with the same bytes: counted, and no error. Order, numbering and numbers of
effects are judged on first occurrences, in the order of each partition.
"""

from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic_core import from_json

from tests.crash.ledger import MAY_PARK, Ledger, Purpose, number_of

PARTS = ("located", "incidents", "delivered", "dead")


class Sighting(NamedTuple):
    """A record as it was read. `part` says which of PARTS its topic plays, `topic` names it."""

    part: str
    topic: str
    partition: int
    key: bytes
    body: dict[str, Any]
    ce_id: str
    digest: int
    timestamp: float
    """Seconds since the epoch, as the broker stamped the record."""
    decided: str
    """`ce_time`."""


def sighting(
    part: str,
    topic: str,
    partition: int,
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes | None]],
    timestamp: float,
) -> Sighting:
    """Take a record apart. A dead letter is what it was before it was one; its body may not be JSON."""
    own = [header for header in headers if not header[0].startswith("dlq_")]
    found = dict(own)
    ce_id, decided = (found.get("ce_id") or b"").decode(), (found.get("ce_time") or b"").decode()
    digest = hash((key, value, *own))
    return Sighting(part, topic, partition, key or b"", _body(value), ce_id, digest, timestamp, decided)


def _body(value: bytes | None) -> dict[str, Any]:
    try:
        body = from_json(value or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


class Effects:
    """The first occurrence of each effect of one kind, by the number of the report behind it."""

    def __init__(self) -> None:
        self._ids, self._digests = array("q"), array("q")
        self.count = self.repeats = self.duplicates = self.altered = 0

    def see(self, number: int, ce_id: str, digest: int) -> bool:
        """Note an occurrence; return whether it is the first."""
        self._grow(number)
        id_ = hash(ce_id) or 1
        if not self._ids[number]:
            self._ids[number], self._digests[number] = id_, digest
            self.count += 1
            return True
        self.duplicates += self._ids[number] != id_
        self.altered += self._ids[number] == id_ and self._digests[number] != digest
        self.repeats += self._ids[number] == id_ and self._digests[number] == digest
        return False

    def __contains__(self, number: int) -> bool:
        return number < len(self._ids) and self._ids[number] != 0

    def ambiguous(self) -> int:
        """Return how many effects share the id of another."""
        return self.count - len({id_ for id_ in self._ids if id_})

    def _grow(self, number: int) -> None:
        if number >= len(self._ids):
            more = bytes(8 * (number + 1024 - len(self._ids)))
            self._ids.frombytes(more)
            self._digests.frombytes(more)


class Numbering:
    """Whether numbers that should run 1, 2, 3, … per name do."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._missing: dict[str, set[int]] = {}
        self.late = self.twice = 0

    def see(self, name: str, number: int) -> None:
        """Note a first occurrence."""
        last, missing = self._last.get(name, 0), self._missing.setdefault(name, set())
        if number > last:
            missing.update(range(last + 1, number))
            self._last[name] = number
        elif number in missing:
            missing.remove(number)
            self.late += 1
        else:
            self.twice += 1

    @property
    def gaps(self) -> int:
        """How many numbers below the highest never came."""
        return sum(map(len, self._missing.values()))


class Order:
    """Whether a name keeps to one partition, and its sequence only grows."""

    def __init__(self) -> None:
        self._last: dict[tuple[Any, ...], int] = {}
        self._home: dict[tuple[str, bytes], int] = {}
        self.violations = self.strays = 0

    def at_home(self, seen: Sighting) -> None:
        """Note where a key was seen."""
        self.strays += self._home.setdefault((seen.topic, seen.key), seen.partition) != seen.partition

    def see(self, name: tuple[Any, ...], sequence: int) -> None:
        """Note a first occurrence."""
        if sequence < self._last.get(name, 0):
            self.violations += 1
        else:
            self._last[name] = sequence


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was counted, and the assertions that failed (`red`: name → how often)."""

    counts: dict[str, int]
    red: dict[str, int] = field(default_factory=dict)

    @property
    def green(self) -> bool:
        """Whether nothing is wrong."""
        return not self.red


class Checker:
    """Takes sightings in the order of each partition, and gives its verdict when asked."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.located, self.changed, self.reviewed, self.dead = Effects(), Effects(), Effects(), Effects()
        self.delivered, self.delivered_review = Effects(), Effects()
        self._numbering = {"incidents": Numbering(), "delivered": Numbering()}
        self._order = Order()
        self._phantoms = 0

    @property
    def _effects(self) -> Sequence[Effects]:
        return (
            self.located, self.changed, self.reviewed, self.dead, self.delivered, self.delivered_review,
        )  # fmt: skip

    @property
    def repeats(self) -> int:
        """How many records came again, byte for byte."""
        return sum(effects.repeats for effects in self._effects)

    def see(self, seen: Sighting) -> bool:
        """Note a record; return whether its effect is new."""
        number = self._number(seen)
        if not 0 <= number < len(self._ledger):
            self._phantoms += 1
            return False
        first = self._kind(seen).see(number, seen.ce_id, seen.digest)
        if seen.part != "dead":
            self._order.at_home(seen)
            if first:
                self._judge_order(seen)
        return first

    def _number(self, seen: Sighting) -> int:
        if seen.part == "dead" and not seen.body:
            return number_of(seen.ce_id)
        return int(seen.body.get("number", -1))

    def _kind(self, seen: Sighting) -> Effects:
        reviewed = seen.body.get("reviewed", False)
        match seen.part:
            case "incidents":
                return self.reviewed if reviewed else self.changed
            case "delivered":
                return self.delivered_review if reviewed else self.delivered
            case "located":
                return self.located
        return self.dead

    def _judge_order(self, seen: Sighting) -> None:
        body = seen.body
        if not body.get("reviewed"):
            self._order.see((seen.part, body["incident"], body["urgent"]), body["sequence"])
        if seen.part in self._numbering:
            self._numbering[seen.part].see(body["incident"], body["seq"])

    def settled(self, number: int) -> bool:
        """Whether everything a report has to bring about at once is there, or it may wait somewhere."""
        may_park = self._ledger.purposes[number] in MAY_PARK
        return may_park or number in self.delivered or number in self.dead

    def verdict(self, parked: Collection[int]) -> Verdict:
        """Judge; `parked` are the numbers of the reports that the store holds back."""
        taken = self._ledger.acknowledged
        sent = [n for n in range(len(taken)) if taken[n] or n in self.changed or n in self.dead]
        waiting = {n for n in parked if n not in self.dead}
        counts = {
            "sent": len(sent),
            "processed": self.changed.count,
            "dead-lettered": self.dead.count,
            "parked": len(waiting),
            "reviews": self.reviewed.count,
            "delivered": self.delivered.count + self.delivered_review.count,
            "repeats": self.repeats,
        }
        found = {**self._absences(sent, waiting), **self._excesses(), **self._disorder()}
        ended = counts["processed"] + counts["dead-lettered"] + counts["parked"]
        found["balance"] = abs(ended - counts["sent"])
        return Verdict(counts, {name: count for name, count in found.items() if count})

    def _absences(self, sent: Sequence[int], waiting: Collection[int]) -> dict[str, int]:
        purposes = self._ledger.purposes
        changed = [n for n in sent if n in self.changed]
        unseen = [n for n in changed if n not in self.delivered]
        unseen += [n for n in changed if n in self.reviewed and n not in self.delivered_review]
        lost = [n for n in sent if n not in self.changed and n not in self.dead and n not in waiting]
        timers = [n for n in changed if purposes[n] == Purpose.REMIND and n not in self.reviewed]
        return {"lost": len(lost), "undelivered": len(unseen), "timers missing": len(timers)}

    def _excesses(self) -> dict[str, int]:
        both = sum(n in self.changed and n in self.dead for n in range(len(self._ledger)))
        return {
            "duplicate effects": sum(e.duplicates for e in self._effects) + both,
            "different bytes": sum(e.altered for e in self._effects),
            "ambiguous ids": sum(e.ambiguous() for e in self._effects),
            "never sent": self._phantoms,
        }

    def _disorder(self) -> dict[str, int]:
        numberings = self._numbering.values()
        return {
            "order violations": self._order.violations + sum(n.late for n in numberings),
            "strayed keys": self._order.strays,
            "seq gaps": sum(n.gaps for n in numberings),
            "seq twice": sum(n.twice for n in numberings),
        }
