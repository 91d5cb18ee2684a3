"""One decision in the making: what is said so far, and the desk as it is after that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from services.dispatch.evolving import evolve
from services.dispatch.facts import Held
from services.dispatch.state import Desk
from shared.bus import Cancel, Decision, Emit, Keep, Timer
from shared.contracts import CommandRequested, EventData, ReportErased
from shared.contracts.command import Verb
from shared.contracts.topics import DESKS_COMMANDS, INCIDENTS
from shared.pack import DeskSpec, Pack, UnitSpec


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

    @cached_property
    def units(self) -> Mapping[str, UnitSpec]:
        """The units by id."""
        return {unit.id: unit for unit in self.pack.units}

    @cached_property
    def units_of(self) -> Mapping[str, list[UnitSpec]]:
        """The units by desk."""
        found: dict[str, list[UnitSpec]] = {}
        for unit in self.pack.units:
            found.setdefault(unit.desk, []).append(unit)
        return found

    def spec(self, desk: str) -> DeskSpec:
        """Return what the pack says of `desk`; one it does not know is a triage desk."""
        by_code = self.pack.desk_by_code
        return by_code.get(desk) or by_code[self.pack.triage_desk]

    def partner(self, desk: str) -> str | None:
        """Return whom `desk` turns to in the end: its partner, else triage, None where that is itself."""
        known = self.pack.desk_by_code.get(desk)
        partner = (known and known.partner) or self.pack.triage_desk
        return None if partner == desk else partner


@dataclass
class Turn:
    """A decision of `desk` on the cause `id`, at `now`. `state` is a working copy."""

    rules: Rules
    desk: str
    id: str
    now: datetime
    state: Desk
    decisions: list[Decision] = field(default_factory=list)

    def branch(self) -> "Turn":
        """Return the same turn before anything was said, to be thrown away or taken over."""
        return Turn(self.rules, self.desk, self.id, self.now, self.state.fork())

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
