"""Whether the ledger is complete, and equal to what left: judged from `deliveries` and the agency topics."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.crash.services.seen import HEARTBEAT, Seen
from tests.crash.services.signed import Signed

NOT_REAL = ("exercise", "test")
UNSEEN = "nothing_visible"
TAKEN = "webhook", "delivered"


@dataclass(frozen=True, slots=True)
class Numbered:
    """A numbered event of `incidents`, as far as an agreement asks about it."""

    incident: str
    category: str
    codes: tuple[str, ...]
    status: str


@dataclass(frozen=True, slots=True)
class Told:
    """What an agency was told of an incident: under which version, when, and how much."""

    agency: str
    id: str
    incident: str
    at: datetime
    version: int
    left: bool
    view: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One delivery of the ledger."""

    outcome: str
    reason: str
    proof: str
    decided: datetime


@dataclass
class Ledger:
    """The events that agencies were to be told of, what they were told, and what is in the books."""

    numbered: dict[str, Numbered] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    topics: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By agency: the ids of all that is on its topic, but for heartbeats."""
    entries: dict[tuple[str, str, str], Entry] = field(default_factory=dict)
    """By event, channel and agency."""
    twice: int = 0

    def see_event(self, record: Seen, data: dict[str, Any]) -> None:
        """Note a numbered event of `incidents`."""
        view = data["view"]
        place = view.get("place") or {}
        codes = tuple(place[name] for name in ("province", "amphoe", "tambon") if place.get(name))
        status = data.get("status", "actual")
        self.numbered[record.id] = Numbered(data["incident_id"], view["category"], codes, status)

    def see_told(self, agency: str, record: Seen, data: dict[str, Any]) -> None:
        """Note a record of an agency's topic."""
        if record.kind == HEARTBEAT:
            return
        self.topics[agency].add(record.id)
        if record.kind == "incident.shared":
            at, view = datetime.fromisoformat(record.time), data.get("view") or {}
            left, version = data["presence"] == "left", data["agreement_version"]
            told = Told(agency, record.id, data["incident_id"], at, version, left, view)
            self.told.append(told)

    def see_entry(self, data: dict[str, Any]) -> None:
        """Note a record of `deliveries`."""
        decided = datetime.fromisoformat(data["decided_at"])
        for d in data["deliveries"]:
            key = data["event_id"], d["channel"], d["agency"]
            self.twice += key in self.entries
            self.entries[key] = Entry(d["outcome"], d.get("reason") or "", d.get("proof") or "", decided)

    def wrong(self, signed: Signed, hooked: str) -> dict[str, int]:
        """Return what does not add up; `hooked` is the agency with a webhook."""
        proofs = Counter((who, e.proof) for (_, how, who), e in self.entries.items() if _left(how, e))
        on_topics = {(who, id_) for who, ids in self.topics.items() for id_ in ids}
        hooks = {e for (e, how, _), done in self.entries.items() if (how, done.outcome) == TAKEN}
        return {
            "ledger missing": len(self.missing(signed, self.numbered)),
            "ledger beyond scope": sum(1 for _ in self._strange(signed)),
            "ledger twice": self.twice + sum(count - 1 for count in proofs.values()),
            "ledger is not what left": len(on_topics ^ proofs.keys()),
            "withheld without cause": sum(1 for _ in self._kept_back(signed)),
            "webhook not in the ledger": len(self.topics[hooked] ^ hooks),
        }

    def missing(self, signed: Signed, events: Iterable[str]) -> set[str]:
        """Return those of `events` that are not in the books for every agency in scope."""
        found = ((id_, self.numbered[id_]) for id_ in events)
        return {
            id_
            for id_, event in found
            for agency in signed.concerned(event.category, event.codes)
            if (id_, "topic", agency) not in self.entries
        }

    def _strange(self, signed: Signed) -> Iterator[tuple[str, str]]:
        inside = {(told.agency, told.incident) for told in self.told}
        for id_, how, agency in self.entries:
            event = self.numbered.get(id_)
            known = event is None or agency in signed.concerned(event.category, event.codes)
            if how == "topic" and not known and event and (agency, event.incident) not in inside:
                yield id_, agency

    def _kept_back(self, signed: Signed) -> Iterator[tuple[str, str]]:
        """Yield what an agreement in force shows, and the ledger says was withheld for no good reason."""
        for (id_, how, agency), entry in self.entries.items():
            event, terms = self.numbered.get(id_), signed.in_force(agency, entry.decided)
            shown = event and terms and terms.covers(event.category, event.codes)
            if how == "topic" and shown and entry.outcome == "withheld":
                real = event is not None and event.status not in NOT_REAL
                if entry.reason != UNSEEN if real else entry.reason not in NOT_REAL:
                    yield id_, agency

    def beyond(self, signed: Signed) -> Collection[str]:
        """Return the ids of what was shared though the agreement in force did not grant it."""
        causes = {(who, e.proof): id_ for (id_, how, who), e in self.entries.items() if _left(how, e)}
        return [t.id for t in self.told if not t.left and self._unlawful(t, causes, signed)]

    def _unlawful(self, told: Told, causes: Mapping[tuple[str, str], str], signed: Signed) -> bool:
        terms = signed.in_force(told.agency, told.at)
        event = self.numbered.get(causes.get((told.agency, told.id), ""))
        if terms is None or terms.version != told.version or terms.beyond(dict(told.view)):
            return True
        return event is not None and (
            event.status in NOT_REAL or not terms.covers(event.category, event.codes)
        )


def _left(channel: str, entry: Entry) -> bool:
    return channel == "topic" and entry.outcome == "delivered"
