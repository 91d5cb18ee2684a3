"""One decision in the making: what is said so far, and the desk as it is after that."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any

from services.dispatch.evolving import evolve
from services.dispatch.facts import Held
from services.dispatch.state import Desk
from services.dispatch.waiting import Want
from shared.bus import Cancel, Decision, Emit, Keep, Timer
from shared.contracts import CommandRequested, EventData, ReportErased
from shared.contracts.command import Verb
from shared.contracts.topics import DESKS_COMMANDS, INCIDENTS
from shared.pack import DeskSpec, Pack, PackError, UnitSpec
from shared.pack.load import FILE

MOST_WANTS = 10_000
"""Desks times what their tasks want of which is remembered who may go; categories are an open list."""


@dataclass(frozen=True)
class Rules:
    """What every desk goes by: the pack and the periods, in seconds."""

    pack: Pack
    acknowledge_seconds: float = 60.0
    remind_seconds: float = 600.0
    """Between calls to the supervisor once there is nobody else to ask."""
    close_seconds: float = 900.0
    """From resolved to closed."""
    forget_seconds: float = 3600.0
    """From closed to out of the live state."""
    leaving: tuple[DeskSpec, ...] = ()
    """Desks of earlier packs that are gone; they keep their incidents, and units, until these end."""
    leaving_units: tuple[UnitSpec, ...] = ()

    def after(self, pack: Pack) -> "Rules":
        """Return the rules once `pack` is in use. Raises PackError when a unit would change its desk.

        The other desk could not know that the unit is on its way for this one.
        """
        moved = [unit.id for unit in pack.units if self.units.get(unit.id, unit).desk != unit.desk]
        if moved:
            why = "it would change its desk while running; give it a new id, or restart when it is idle"
            raise PackError([f"{FILE}: units: {unit}: {why}" for unit in moved])
        desks = tuple(d for d in (*self.leaving, *self.pack.desks) if d.code not in pack.desk_by_code)
        codes = {desk.code for desk in desks}
        units = tuple(unit for unit in self.units.values() if unit.desk in codes)
        return replace(self, pack=pack, leaving=desks, leaving_units=units)

    @cached_property
    def units(self) -> Mapping[str, UnitSpec]:
        """The units by id."""
        return {unit.id: unit for unit in (*self.leaving_units, *self.pack.units)}

    @cached_property
    def units_of(self) -> Mapping[str, list[UnitSpec]]:
        """The units by desk."""
        found: dict[str, list[UnitSpec]] = {}
        for unit in self.units.values():
            found.setdefault(unit.desk, []).append(unit)
        return found

    @cached_property
    def suitable(self) -> Callable[[str, Want], Mapping[str, UnitSpec]]:
        """Find a desk's units, by id, of the kinds that the wanted role sends; where it has none, all."""
        return lru_cache(MOST_WANTS)(self._suitable)

    def _suitable(self, desk: str, want: Want) -> Mapping[str, UnitSpec]:
        responses = self.pack.response(want.category, want.priority)
        kinds = {response.kind for response in responses if response.role == want.role}
        own = {unit.id: unit for unit in self.units_of.get(desk, ())}
        return {id_: unit for id_, unit in own.items() if kinds.intersection(unit.kinds)} or own

    def spec(self, desk: str) -> DeskSpec:
        """Return what the pack says of `desk`; one it does not know is a triage desk."""
        return self._known(desk) or self.pack.desk_by_code[self.pack.triage_desk]

    def partner(self, desk: str) -> str | None:
        """Return whom `desk` turns to in the end: its partner, else triage, None where that is itself."""
        known = self._known(desk)
        partner = (known and known.partner) or self.pack.triage_desk
        if partner not in self.pack.desk_by_code:  # a desk of an earlier pack names one that left with it
            partner = self.pack.triage_desk
        return None if partner == desk else partner

    def _known(self, desk: str) -> DeskSpec | None:
        left = (spec for spec in self.leaving if spec.code == desk)
        return self.pack.desk_by_code.get(desk) or next(left, None)


@dataclass
class Turn:
    """A decision of `desk` on the cause `id`, at `now`, from what the desk `was`, which stays as it is."""

    rules: Rules
    desk: str
    id: str
    now: datetime
    was: Desk
    state: Desk = field(init=False)
    """The desk after what is said so far."""
    decisions: list[Decision] = field(init=False)

    def __post_init__(self) -> None:
        self.start_again()

    def start_again(self) -> None:
        """Take back whatever was said."""
        self.state, self.decisions = self.was.fork(), []

    def publish(self, data: EventData) -> None:
        """Say `data` on the canonical stream."""
        self.decisions.append(Emit(INCIDENTS, data))
        self.state = evolve(self.state, data)

    def keep(self, data: EventData) -> None:
        """Remember `data`."""
        self.decisions.append(Keep(data))
        self.state = evolve(self.state, data)

    def ask(self, desk: str, verb: Verb, **fields: Any) -> None:
        """Ask another desk."""
        self.pass_on(CommandRequested(desk=desk, actor=f"desk:{self.desk}", verb=verb, **fields), desk)

    def pass_on(self, meant: CommandRequested | ReportErased, desk: str) -> None:
        """Send what `desk` decides on, but never ahead of an incident that is on its way from here."""
        gone = self.state.gone.get(meant.incident_id or "")
        if gone is not None and gone.to is not None and not gone.asked:
            self.keep(Held(incident_id=meant.incident_id or "", meant=meant))
        else:
            self.decisions.append(Emit(DESKS_COMMANDS, meant.model_copy(update={"desk": desk})))

    def wake(self, about: str, kind: str, due: datetime, attempt: int) -> None:
        """Set a timer on something of this desk."""
        self.decisions.append(Timer(f"{self.desk}/{about}", kind, due, attempt))

    def sleep(self, about: str, kind: str, attempt: int) -> None:
        """Forget a timer, so that its attempt may be set again."""
        self.decisions.append(Cancel(f"{self.desk}/{about}", kind, attempt))

    def after(self, seconds: float) -> datetime:
        """Return the instant so many seconds from now."""
        return self.now + timedelta(seconds=seconds)
