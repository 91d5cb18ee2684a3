"""What came of the day, against what it really was: merges, pairs, danger to life, and response times."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean, median, quantiles
from typing import Any

from deploy.local.demo.witness import Seen
from shared.contracts.values import Priority
from tests.city.calls import Incident
from tests.city.reports import Told
from tests.city.triage import category_of, priority_of

MOST_FALSE = 0.01
LEAST_F1 = 0.80


@dataclass
class Course:
    """How one of our incidents went, as its events say."""

    opened: datetime
    priority: str
    reports: set[str]
    sent: datetime | None = None
    on_scene: datetime | None = None
    units: set[str] = field(default_factory=set)


@dataclass
class Story:
    """Follows `incidents`."""

    courses: dict[str, Course] = field(default_factory=dict)

    def hear(self, record: Seen) -> None:
        """Take in what happened to an incident."""
        if record.topic != "incidents" or not (view := record.data.get("view")):
            return
        now = datetime.fromisoformat(record.headers["ce_time"])
        opened = datetime.fromisoformat(view["opened_at"])
        course = self.courses.setdefault(record.data["incident_id"], Course(opened, "", set()))
        course.priority = view["priority"]
        course.reports = {link["report_id"] for link in view["reports"] if not link["suggested"]}
        course.units.update(unit for task in view["tasks"] for unit in task["units"])
        course.sent = course.sent or (now if course.units else None)
        there = any(task["state"] == "on_scene" for task in view["tasks"])
        course.on_scene = course.on_scene or (now if there else None)


@dataclass(frozen=True)
class Linking:
    """How reports were put together. Shares are 0 to 1."""

    incidents: int
    false_merges: int
    precision: float
    recall: float

    @property
    def false_share(self) -> float:
        """Incidents whose own call was taken for one about another incident."""
        return self.false_merges / self.incidents

    @property
    def f1(self) -> float:
        """The harmonic mean over pairs of reports."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def linking(groups: Sequence[Sequence[Told]]) -> Linking:
    """Judge reports put together as `groups`. All count for pairs, first calls for merges."""
    real = Counter(told.about.number for group in groups for told in group)
    within = [Counter(told.about.number for told in group) for group in groups]
    right = sum(_pairs(n) for group in within for n in group.values())
    ours, theirs = sum(_pairs(len(group)) for group in groups), sum(map(_pairs, real.values()))
    calls = [sum(told.first for told in group) for group in groups]
    return Linking(
        incidents=sum(calls),
        false_merges=sum(count - 1 for count in calls if count),
        precision=right / ours if ours else 1.0,
        recall=right / theirs if theirs else 1.0,
    )


def _pairs(n: int) -> int:
    return n * (n - 1) // 2


@dataclass(frozen=True)
class Day:
    """The story of a day with what each report was really about, by report id."""

    story: Story
    told: Mapping[str, Told]

    def groups(self) -> list[list[Told]]:
        """Return the reports as they were put together."""
        courses = self.story.courses.values()
        return [[self.told[id_] for id_ in c.reports if id_ in self.told] for c in courses]

    def calls(self) -> list[tuple[Incident, Course]]:
        """Return every real incident with the one that its first call came to."""
        holding = {id_: course for course in self.story.courses.values() for id_ in course.reports}
        return [(t.about, holding[id_]) for id_, t in self.told.items() if t.first and id_ in holding]

    def suppressed(self) -> Iterator[str]:
        """Yield each danger to life that was not treated as one: no P1, or nobody was sent."""
        for call, course in self.calls():
            if priority_of(call) is Priority.P1 and (course.priority != Priority.P1 or not course.sent):
                yield f"incident {call.number}: priority {course.priority}, sent: {course.sent}"

    def merged_dangers(self) -> int:
        """Return how many dangers to life came to an incident that another call had opened."""
        owners: dict[int, set[str]] = defaultdict(set)
        for call, course in self.calls():
            if priority_of(call) is Priority.P1:
                owners[id(course)].add(call.number)
        return sum(len(numbers) - 1 for numbers in owners.values())

    def table(self) -> list[dict[str, object]]:
        """Return rows by category: seconds and units, ours beside the city's."""
        rows: dict[str, list[tuple[Incident, Course]]] = defaultdict(list)
        for call, course in self.calls():
            rows[category_of(call)].append((call, course))
            rows["all"].append((call, course))
        return [_row(name, found) for name, found in sorted(rows.items(), key=lambda row: -len(row[1]))]


def _row(name: str, found: Sequence[tuple[Incident, Course]]) -> dict[str, object]:
    ours_sent = [_seconds(c.opened, c.sent) for _, c in found if c.sent]
    ours_there = [_seconds(c.opened, c.on_scene) for _, c in found if c.on_scene]
    sent = [(call.sent[0].at, call) for call, _ in found if call.sent]
    there = [(min(s.on_scene for s in call.sent if s.on_scene), call) for call, _ in found if _reached(call)]
    return {
        "category": name,
        "incidents": len(found),
        "sent s p50/p90": _both(ours_sent),
        "city, from entry": _both([_seconds(call.entered, at) for at, call in sent]),
        "city, from call": _both([_seconds(call.received, at) for at, call in sent]),
        "on scene s p50/p90": _both(ours_there),
        "city on scene": _both([_seconds(call.received, at) for at, call in there]),
        "units": round(fmean(len(c.units) for _, c in found), 2),
        "city units": round(fmean(len(call.sent) for call, _ in found), 2),
    }


def _reached(call: Incident) -> bool:
    return any(sent.on_scene for sent in call.sent)


def _seconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()


def _both(values: Sequence[float]) -> str:
    if len(values) < 2:
        return "/".join(f"{value:.0f}" for value in values) or "-"
    return f"{median(values):.0f}/{quantiles(values, n=10)[8]:.0f}"


def problems(day: Day, found: Linking, figures: Mapping[str, Any], repeated: bool) -> Iterator[str]:
    """Yield everything that is not as it must be; `repeated`: whether any incident has a second caller."""
    if found.false_share > MOST_FALSE:
        yield f"false merges: {found.false_share:.2%}, more than {MOST_FALSE:.0%}"
    if repeated and found.f1 < LEAST_F1:
        yield f"pairwise F1: {found.f1:.3f}, less than {LEAST_F1}"
    yield from (f"suppressed: {one}" for one in day.suppressed())
    yield from (f"{name}: {figures[name]}" for name in ("lost", "dead_letters", "rejected") if figures[name])
