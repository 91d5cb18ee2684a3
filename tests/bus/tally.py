"""A decider that does, on command, each thing a decider can do; its state is a sum and what it was told."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import BaseModel

from shared.bus import Cancel, Decider, Emit, Keep, Retry, Timer, TimerFired
from shared.bus.emit import Decision
from shared.contracts import CommandAccepted, CommandRequested, Event, EventData, Record, Topic
from shared.contracts.command import CommandArgs
from tests.bus.support import record_of

IN = Topic("tally.in", key="desk")
OUT = Topic("tally.out", key="desk")
ALARM_SECONDS = 60


class Added(EventData):
    """A fact that only the state knows."""

    type: ClassVar[str] = "th.ruamjai.tally.added.v1"
    subject_field: ClassVar[str] = "desk"

    desk: str
    amount: int


class Cleared(Added):
    """The key is back at its first state, from `amount`."""

    type: ClassVar[str] = "th.ruamjai.tally.cleared.v1"


class Broken(Added):
    """A fact that no state can take."""

    type: ClassVar[str] = "th.ruamjai.tally.broken.v1"


class Sum(BaseModel):
    """The state of a key."""

    total: int = 0
    told: tuple[str, ...] = ()


class Tally(Decider[Sum]):
    """`add`, `alarm`, `cancel`, `clear`, and what goes wrong: `refuse`, `break`, `swell`, `wait`."""

    state = Sum

    def __init__(self, out: Topic = OUT) -> None:
        self.out = out
        self.decided: list[str] = []
        self.moves = False
        """While it is set, an alarm's first attempt moves the second on instead of telling of itself."""
        self.closed = False
        """While it is set, `wait` asks for a retry."""
        self.refuses = True
        """While it is set, `refuse` raises."""

    def decide(
        self, state: Sum, event: Event[CommandRequested | TimerFired], now: datetime
    ) -> Iterable[Decision]:
        """Do what the verb says; the answer carries the sum, so that a lost or doubled cause shows."""
        self.decided.append(event.id)
        data = event.data
        if isinstance(data, TimerFired) and self.moves and data.attempt == 1:
            return [Timer(data.about, data.kind, now + timedelta(seconds=ALARM_SECONDS), 2)]
        if isinstance(data, TimerFired):
            return [self._told(event, data.about.partition("/")[0], "timer.fired", state.total)]
        return self._on_command(state, event, data, now)

    def _on_command(
        self, state: Sum, event: Event[EventData], data: CommandRequested, now: datetime
    ) -> Iterable[Decision]:
        desk, amount = data.desk, int(data.args.note or 0)
        alarm = f"{desk}/alarm"
        match data.verb.partition(".")[2]:
            case "add":
                return [
                    Keep(Added(desk=desk, amount=amount)),
                    self._told(event, desk, data.verb, state.total + amount),
                ]
            case "alarm":
                return [Timer(alarm, "alarm", now + timedelta(seconds=ALARM_SECONDS), amount)]
            case "cancel":
                return [Cancel(alarm, "alarm", amount)]
            case "clear":
                return [Keep(Cleared(desk=desk, amount=state.total))]
            case "break":
                return [Keep(Added(desk=desk, amount=1)), Keep(Broken(desk=desk, amount=0))]
            case "swell":
                return [self._told(event, desk, data.verb, 0) for _ in range(amount)]
            case "wait" if self.closed:
                raise Retry("its outside is away")
            case "refuse" if self.refuses:
                raise ValueError("this command makes no sense")
            case "refuse":
                return [self._told(event, desk, data.verb, state.total)]
        return []

    def _told(self, event: Event[EventData], desk: str, verb: str, total: int) -> Emit:
        accepted = CommandAccepted(
            command_id=event.id, verb=verb, desk=desk, actor="desk:test", incident_id=f"sum-{total}"
        )
        return Emit(self.out, accepted)

    def evolve(self, state: Sum, fact: EventData) -> Sum:
        """Return the state after `fact`."""
        match fact:
            case Broken():
                raise RuntimeError("no state can take this")
            case Cleared(amount=amount):
                if amount != state.total:
                    raise RuntimeError("this is not the state it was decided on")
                return Sum()
            case Added(amount=amount):
                return Sum(total=state.total + amount, told=state.told)
            case CommandAccepted(command_id=id_):
                return Sum(total=state.total, told=(*state.told, id_)[-5:])
        return state


class Resting(Tally):
    """One whose keys rest while their sum is even."""

    rest = timedelta(days=90)

    def rests(self, state: Sum) -> bool:
        """Whether the sum is even."""
        return state.total % 2 == 0


def command(verb: str, desk: str = "d1", note: int | None = None, *, topic: Topic = IN) -> Record:
    """A command to `desk`; `note` is its number, if it needs one."""
    args = CommandArgs() if note is None else CommandArgs(note=str(note))
    return record_of(topic, CommandRequested(desk=desk, actor="desk:test", verb=f"tally.{verb}", args=args))
