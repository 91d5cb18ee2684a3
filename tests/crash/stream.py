"""The stream under test: a relay, desks on the commit log with two lanes and a timer, and a sink."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import BaseModel

from shared.bus import Decider, Emit, Service, Timer, TimerFired
from shared.bus.emit import Decision
from shared.contracts.event import Event, EventData
from shared.contracts.topics import Topic
from tests.crash.names import World

REVIEW = timedelta(seconds=6)


class Reported(EventData):
    """A report as the source sends it; `number` counts all reports, `sequence` those of a key and lane."""

    type: ClassVar[str] = "th.ruamjai.crash.reported.v1"
    subject_field: ClassVar[str] = "incident"

    incident: str
    desk: str
    urgent: bool
    number: int
    sequence: int
    remind: bool = False
    poison: str = ""


class Located(Reported):
    """The same report on its desk's lane."""

    type: ClassVar[str] = "th.ruamjai.crash.located.v1"


class Changed(EventData):
    """An incident's next event; `seq` counts those of the incident from 1."""

    type: ClassVar[str] = "th.ruamjai.crash.changed.v1"
    subject_field: ClassVar[str] = "incident"

    incident: str
    desk: str
    number: int
    seq: int
    reviewed: bool = False
    urgent: bool = False
    sequence: int = 0


class Delivered(Changed):
    """The effect at the end of the stream."""

    type: ClassVar[str] = "th.ruamjai.crash.delivered.v1"


class Desk(BaseModel):
    """What a desk remembers: the last `seq` of each of its incidents."""

    seqs: dict[str, int] = {}


class Desks(Decider[Desk]):
    """Numbers the events of each incident, and reviews those that ask for it a while later."""

    state = Desk

    def decide(self, state: Desk, event: Event[Located | TimerFired], now: datetime) -> Iterable[Decision]:
        match event.data:
            case Located() as report:
                return self._report(state, report, now)
            case TimerFired(about=about):
                return [Emit(self.incidents, self._review(state, *about.split("/")))]

    def evolve(self, state: Desk, fact: EventData) -> Desk:
        assert isinstance(fact, Changed)
        state.seqs[fact.incident] = fact.seq
        return state

    def __init__(self, incidents: Topic) -> None:
        self.incidents = incidents

    def _report(self, state: Desk, report: Located, now: datetime) -> Iterable[Decision]:
        if report.poison == "desk":
            raise ValueError("this report is meant to be poison")
        common = report.model_dump(include={"incident", "desk", "number", "urgent", "sequence"})
        yield Emit(self.incidents, Changed(seq=_next(state, report.incident), **common))
        if report.remind:
            about = f"{report.desk}/{report.incident}/{report.number}"
            yield Timer(about, "review", now + REVIEW)

    def _review(self, state: Desk, desk: str, incident: str, number: str) -> Changed:
        seq = _next(state, incident)
        return Changed(incident=incident, desk=desk, number=int(number), seq=seq, reviewed=True)


def _next(state: Desk, incident: str) -> int:
    return state.seqs.get(incident, 0) + 1


def service_of(role: str, world: World) -> Service:
    """Return the service that plays `role` in `world`."""
    return {"relay": _relay, "desk": _desk, "sink": _sink}[role](world)


def _relay(world: World) -> Service:
    service = Service("crash-relay")
    received = [Topic(world.topic("received", lane), key="incident", urgent=lane) for lane in (False, True)]
    located = [Topic(world.topic("located", lane), key="desk") for lane in (False, True)]

    @service.on_batch(*received, group=world.group("relay"))
    def locate(events: Sequence[Event[Reported]]) -> Sequence[Iterable[Emit]]:
        return [[Emit(located[event.data.urgent], _located(event.data))] for event in events]

    return service


def _located(report: Reported) -> Located:
    if report.poison == "relay":
        raise ValueError("this report is meant to be poison")
    return Located(**report.model_dump())


def _desk(world: World) -> Service:
    service = Service("crash-desk")
    lanes = [Topic(world.topic("located", lane), key="desk", urgent=lane) for lane in (True, False)]
    desks = Desks(Topic(world.topic("incidents"), key="incident"))
    service.decide(*lanes, by=desks, group=world.group("desk"), on_poison="park")
    return service


def _sink(world: World) -> Service:
    service = Service("crash-sink")
    delivered = Topic(world.topic("delivered"), key="incident")

    @service.on(Topic(world.topic("incidents"), key="incident"), group=world.group("sink"))
    def deliver(event: Event[Changed]) -> Iterable[Emit]:
        return [Emit(delivered, Delivered(**event.data.model_dump()))]

    return service
