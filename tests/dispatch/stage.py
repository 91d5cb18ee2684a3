"""A small jurisdiction and a stage on which its desks talk to each other, without a broker."""

from collections import deque
from collections.abc import Sequence
from typing import Any, TypeVar

from services.dispatch.following import go_on
from services.dispatch.handlers import Desks
from services.dispatch.state import Desk
from services.dispatch.turn import Rules
from shared.bus.testing import Rehearsal, event_of
from shared.contracts import CommandRequested, EventData, IncidentHandedOver, ReportErased, ReportLocated
from shared.contracts.command import CommandArgs
from shared.contracts.ids import new_id
from shared.contracts.incident import IncidentEvent
from shared.contracts.report import Reporter
from shared.contracts.values import GeoPoint, Place
from shared.contracts.view import IncidentView
from shared.pack import Pack

T = TypeVar("T", bound=EventData)
POLICE, NEXT, EMS, RESCUE, TRIAGE = "p-mueang", "p-lomsak", "ems-67", "rescue-67", "triage-67"
TOWN = GeoPoint(lat=16.4189, lon=101.1567)
AREA = Place(tambon="670101", amphoe="6701", province="67")
METRE = 1 / 111_195
"""Degrees of latitude."""


def _named(word: str) -> dict[str, str]:
    return {"th": word, "en": word}


def _desk(code: str, agency: str, role: str, areas: list[str], partner: str | None = None) -> dict[str, Any]:
    return {
        "code": code, "name": _named(code), "agency": agency, "role": role, "areas": areas,
        "point": TOWN.model_dump(), "partner": partner,
    }  # fmt: skip


def _unit(name: str, desk: str, kind: str, north: float) -> dict[str, Any]:
    point = {"lat": TOWN.lat + north * METRE, "lon": TOWN.lon}
    return {"id": name, "name": _named(name), "desk": desk, "kinds": [kind], "point": point}


PACK = Pack.model_validate({
    "code": "test", "name": _named("test"), "triage_desk": TRIAGE,
    "desks": [
        _desk(POLICE, "police", "police", ["6701"], NEXT), _desk(NEXT, "police", "police", ["6703"]),
        _desk(EMS, "ems", "medical", ["67"], RESCUE), _desk(RESCUE, "rescue", "rescue", ["67"]),
        _desk(TRIAGE, "province", "triage", []),
    ],
    "units": [
        _unit("car-1", POLICE, "patrol", 500), _unit("car-2", POLICE, "patrol", 2_000),
        _unit("van-1", POLICE, "van", 100), _unit("car-9", NEXT, "patrol", 30_000),
        _unit("amb-1", EMS, "ambulance", 900), _unit("res-1", RESCUE, "boat", 700),
    ],
    "responses": {
        "brawl": [
            {"role": "police", "kind": "patrol"},
            {"role": "medical", "kind": "ambulance", "priorities": ["P1", "P2"]},
        ],
        "theft": [{"role": "police", "kind": "patrol"}],
        "medical_emergency": [{"role": "medical", "kind": "ambulance"}],
    },
    "default_response": [{"role": "police", "kind": "patrol"}],
})  # fmt: skip


class Stage:
    """The desks of the pack on one clock. What one asks another is told to that one at once."""

    def __init__(self, **rules: Any) -> None:
        self.desks = Desks(Rules(PACK, **rules))
        self.rehearsal = Rehearsal(self.desks)
        self.stream: list[EventData] = []
        """What went out on `incidents`."""
        self.asked: list[CommandRequested] = []
        """What desks asked each other."""

    def desk(self, code: str = POLICE) -> Desk:
        """The state of a desk."""
        return self.rehearsal.state(code)

    def report(self, category: str = "theft", text: str = "", **fields: Any) -> list[EventData]:
        """Tell a desk of a located report; return what went out."""
        return self.tell(a_report(self, category, text, **fields))

    def order(
        self, verb: str, desk: str = POLICE, actor: str = "officer:somchai", **fields: Any
    ) -> list[EventData]:
        """Let somebody ask a desk; arguments of the verb are given by name."""
        args = {name: fields.pop(name) for name in list(fields) if name in CommandArgs.model_fields}
        return self.tell(
            CommandRequested(desk=desk, actor=actor, verb=verb, args=CommandArgs(**args), **fields)
        )

    def tell(self, data: ReportLocated | CommandRequested | ReportErased) -> list[EventData]:
        """Let a desk answer, and the others what it asks of them."""
        return self._settle(self.rehearsal.tell(data.desk, data))

    def advance(self, seconds: float) -> list[EventData]:
        """Let time pass."""
        return self._settle(self.rehearsal.advance(seconds))

    def _settle(self, emitted: list[EventData]) -> list[EventData]:
        out, waiting = [], deque(emitted)
        while waiting:
            data = waiting.popleft()
            if isinstance(data, CommandRequested):
                self.asked.append(data)
                waiting += self.rehearsal.tell(data.desk, data)
                continue
            out.append(data)
            if isinstance(data, IncidentHandedOver):
                waiting += [emit.data for emit in go_on(event_of(data))]
        self.stream += out
        return out

    def view(self, incident_id: str) -> IncidentView:
        """The incident as the stream last showed it."""
        return self.events(incident_id)[-1].view

    def events(self, incident_id: str) -> list[IncidentEvent]:
        """The numbered events of an incident."""
        return [e for e in self.stream if isinstance(e, IncidentEvent) and e.incident_id == incident_id]

    def said(self, kind: type[T]) -> list[T]:
        """What went out of one type."""
        return [event for event in self.stream if isinstance(event, kind)]


def a_report(stage: Stage, category: str = "theft", text: str = "", **fields: Any) -> ReportLocated:
    """A citizen's report in town, for the police desk unless said otherwise."""
    north = fields.pop("north", 0.0)
    given = {
        "report_id": new_id(), "received_at": stage.rehearsal.clock.now(), "channel": "web",
        "reporter": Reporter.CITIZEN, "desk": POLICE, "place": AREA, "category": category, "text": text,
        "point": GeoPoint(lat=TOWN.lat + north * METRE, lon=TOWN.lon),
    } | fields  # fmt: skip
    return ReportLocated(**given)


def only(found: Sequence[Any]) -> Any:
    """The one there is."""
    [one] = found
    return one
