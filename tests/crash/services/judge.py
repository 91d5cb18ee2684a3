"""Judges what is on the topics against what outsiders know: pure, and without a line of what it judges.

A repeat is the same id with the same bytes: counted, and no error. Everything else goes by first occurrences,
in the order of each partition.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.crash.checker import Numbering, Verdict
from tests.crash.services.canaries import LANDMARK, Canaries
from tests.crash.services.entries import Ledger
from tests.crash.services.seen import POISON, Firsts, Seen
from tests.crash.services.signed import Signed
from tests.crash.services.units import Units

CLOSED = "closed"
OVER = ("completed", "cancelled")
RECEIVED = ("reports.received", "reports.received.urgent")
LOCATED = ("reports.located", "reports.located.urgent")


@dataclass
class Outside:
    """What the run knows by itself. Reports are named by their ids, commands by theirs."""

    hooked: str
    """The agency with a webhook."""
    generous: str
    """The agency that is granted the text."""
    accepted: set[str] = field(default_factory=set)
    """Reports that were answered with 202."""
    asked: set[str] = field(default_factory=set)
    """Commands that were taken: each must get one outcome."""
    owners: dict[str, str] = field(default_factory=dict)
    """Of the commands, those to the incidents that were open at the end, by incident."""
    parked: set[str] = field(default_factory=set)
    poison: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What was sent to be unusable, by its number: the dead-letter topics that must have it."""
    bodies: Sequence[bytes] = ()
    """What the webhook's receiver was sent."""


class Judge:
    """Takes records in the order of each partition, and gives its verdict when asked."""

    def __init__(self, outside: Outside, signed: Signed, canaries: Canaries) -> None:
        self._outside, self._signed, self.canaries = outside, signed, canaries
        self.firsts, self.units, self.ledger = Firsts(), Units(), Ledger()
        self.numbering: dict[str, Numbering] = defaultdict(Numbering)
        self.views: dict[str, dict[str, Any]] = {}
        self.reported: dict[str, str] = {}
        self.located: Counter[str] = Counter()
        self.outcomes: dict[str, list[bool]] = defaultdict(list)
        self.dead: set[str] = set()
        self.linked: set[str] = set()
        """The reports that have been in an incident."""
        self.escalated: set[str] = set()
        """The tasks that have been."""
        self.kinds: Counter[str] = Counter()
        self._poisoned: dict[str, set[str]] = defaultdict(set)
        self._made = self._unexpected = self._landmarks = 0
        self._not_granted = self._unreadable = 0

    def see(self, record: Seen) -> bool:
        """Note a record; return whether its effect is new."""
        headers = b" ".join(record.headers.values())
        self.canaries.look(f"topic {record.topic}", (record.value, headers))
        if number := record.headers.get(POISON):
            if record.dead:
                self._poisoned[number.decode()].add(record.topic)
            return False
        if not self.firsts.see(record):
            return False
        if record.dead:
            self._see_dead(record)
            return True
        self.firsts.place(record)
        self._see_effect(record)
        return True

    def _see_dead(self, record: Seen) -> None:
        self._unexpected += 1
        self.dead.add(record.headers.get("ce_subject", b"").decode())

    def _see_effect(self, record: Seen) -> None:
        data, topic = record.data, record.topic
        self.kinds[record.kind] += 1
        if topic in RECEIVED:
            self._made += 1
            self.reported[data["report_id"]] = record.id
        elif topic in LOCATED:
            self.located[data["report_id"]] += 1
        elif topic == "incidents":
            self._see_incident(record, data)
        elif topic == "deliveries":
            self.ledger.see_entry(data)
        elif topic.startswith("agency.") and topic.endswith(".incidents"):
            self._see_agency(topic.split(".")[1], record, data)

    def _see_incident(self, record: Seen, data: dict[str, Any]) -> None:
        if data.get("view"):
            self.numbering["incidents"].see(data["incident_id"], data["seq"])
            if data["seq"] >= self.views.get(data["incident_id"], {}).get("seq", 0):
                self.views[data["incident_id"]] = data
            self.linked.update(r["report_id"] for r in data["view"]["reports"] if not r["suggested"])
            self.ledger.see_event(record, data)
            if record.kind == "task.escalated":
                self.escalated.add(data["task_id"])
        elif record.kind == "unit.status_changed":
            at = datetime.fromisoformat(data["changed_at"])
            self.units.see(data["unit_id"], at, data.get("task_id"))
        elif record.kind.startswith("command."):
            self.outcomes[data["command_id"]].append(record.kind == "command.accepted")

    def _see_agency(self, agency: str, record: Seen, data: dict[str, Any]) -> None:
        self.ledger.see_told(agency, record, data)
        if record.kind == "incident.shared":
            self.numbering[agency].see(data["incident_id"], data["seq"])
        if LANDMARK.encode() in record.value:
            self._landmarks += agency == self._outside.generous
            self._not_granted += agency != self._outside.generous

    @property
    def open(self) -> list[str]:
        """The incidents that are not closed."""
        return [id_ for id_, data in self.views.items() if data["view"]["lifecycle"] != CLOSED]

    def holders(self) -> Mapping[str, Collection[str]]:
        """Return by report the incidents that have it, offers apart."""
        found: dict[str, list[str]] = defaultdict(list)
        for id_, data in self.views.items():
            for link in data["view"]["reports"]:
                if not link["suggested"]:
                    found[link["report_id"]].append(id_)
        return found

    def verdict(self) -> Verdict:
        """Judge everything seen so far."""
        outside, holders = self._outside, self.holders()
        processed = outside.accepted & holders.keys()
        dead, parked = outside.accepted & self.dead, outside.accepted & outside.parked
        ended = len(processed) + len(dead) + len(parked)
        counts = {
            "accepted": len(outside.accepted),
            "processed": len(processed),
            "dead-lettered": len(dead),
            "parked": len(parked),
            "poison": len(outside.poison),
            "incidents": len(self.views),
            "open at the end": len(self.open),
            "events": len(self.ledger.numbered),
            "told": len(self.ledger.told),
            "ledger": len(self.ledger.entries),
            "commands": len(outside.asked),
            "repeats": self.firsts.repeats,
        }
        found = {
            "lost": len(outside.accepted - processed - dead - parked),
            "balance": abs(len(outside.accepted) - ended),
            **self._doubled(holders),
            **self._disordered(),
            **self._unowned(),
            **self.ledger.wrong(self._signed, outside.hooked),
            **self._shared(),
            "poison unaccounted": sum(
                not set(topics) <= self._poisoned[n] for n, topics in outside.poison.items()
            ),
            "dead without cause": self._unexpected,
        }
        return Verdict(counts, {name: count for name, count in found.items() if count})

    def _doubled(self, holders: Mapping[str, Collection[str]]) -> dict[str, int]:
        twice = self._made - len(self.reported)
        twice += sum(count - 1 for count in self.located.values())
        twice += sum(len(answers) - 1 for answers in self.outcomes.values())
        return {
            "duplicate effects": twice,
            "report in two incidents": sum(len(ids) > 1 for ids in holders.values()),
            "never accepted": len(self.reported.keys() - self._outside.accepted),
            "different bytes": self.firsts.altered + self._other_bodies(),
            "ambiguous ids": self.firsts.ambiguous,
        }

    def _other_bodies(self) -> int:
        """Return how many bodies the webhook got that differ from an earlier one with the same id."""
        first: dict[str, bytes] = {}
        return sum(first.setdefault(json.loads(b)["id"], b) != b for b in self._outside.bodies)

    def _disordered(self) -> dict[str, int]:
        numberings = self.numbering.values()
        return {
            "order violations": sum(n.late for n in numberings),
            "strayed keys": self.firsts.strays,
            "seq gaps": sum(n.gaps for n in numberings),
            "seq twice": sum(n.twice for n in numberings),
        }

    def _unowned(self) -> dict[str, int]:
        asked, owners = self._outside.asked, self._outside.owners
        live = Counter(
            unit
            for data in self.views.values()
            for task in data["view"]["tasks"]
            if task["state"] not in OVER
            for unit in task["units"]
        )
        return {
            "unit on two incidents": self.units.double_bookings() + sum(n - 1 for n in live.values()),
            "command without outcome": len(asked - self.outcomes.keys()),
            "open incident without owner": sum(
                self.outcomes.get(command) != [True] for command in owners.values()
            ),
        }

    def _shared(self) -> dict[str, int]:
        by_webhook = {json.loads(body)["id"] for body in self._outside.bodies}
        return {
            "beyond the agreement": len(self.ledger.beyond(self._signed)) + self._not_granted,
            "webhook is not the topic": len(by_webhook ^ self.ledger.topics[self._outside.hooked]),
            "granted and not seen": int(self.ledger.told != [] and not self._landmarks),
            "canaries": sum(self.canaries.found.values()),
        }
