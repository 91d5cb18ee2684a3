"""The state a stream's commits add up to: per key a model and its running timers, nothing else."""

import zlib
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import Generic

from pydantic_core import from_json, to_json

from shared.bus.commits import (
    LEVEL,
    Answer,
    Decided,
    Emitted,
    Kept,
    TimerCancelled,
    TimerSet,
    timer_from,
    timer_json,
)
from shared.bus.decider import Decider, S
from shared.bus.emit import Timer
from shared.store import Snapshot

LARGE_BYTES = 8 * 1024 * 1024
"""From here on a state is stored compressed. Release 0.1 cannot read that: until nobody need go back to
it, only states are that would soon be too large to be stored at all."""
SPARE_ENTRIES = 1_000
"""Entries of timers that run no more which the agenda may hold besides as many as there are timers."""


@dataclass(slots=True)
class Keyed(Generic[S]):
    """The state of one key, its running timers by id, and the commit its last snapshot was taken after.

    `rested_n` is the commit after which it last went to rest, 0 where no such rest can be in the store.
    """

    state: S
    timers: dict[str, Timer] = field(default_factory=dict)
    snapshot_n: int = 0
    rested_n: int = 0


class Fold(Generic[S]):
    """All keys of one stream."""

    def __init__(self, decider: Decider[S]) -> None:
        self._decider = decider
        self._keys: dict[str, Keyed[S]] = {}
        self._dirty: set[str] = set()
        self._agenda: list[tuple[datetime, str, str]] = []
        self.timers = 0
        """How many timers run."""

    def __getitem__(self, key: str) -> Keyed[S]:
        """Return what is known of `key`; a key never seen starts with the decider's empty state."""
        found = self._keys.get(key)
        if found is None:
            found = self._keys[key] = Keyed(self._decider.state())
        return found

    def __contains__(self, key: str) -> bool:
        """Whether `key` is in memory."""
        return key in self._keys

    def apply(self, decided: Decided) -> None:
        """Fold one cause's answers into the state and the timers of its key."""
        keyed = self[decided.key]
        self._stop(keyed, decided.cause)
        for answer in decided.answers:
            self._apply(decided.key, keyed, answer)
        self._dirty.add(decided.key)

    def _apply(self, key: str, keyed: Keyed[S], answer: Answer) -> None:
        match answer:
            case Emitted(data=data) | Kept(data):
                keyed.state = self._decider.evolve(keyed.state, data)
            case TimerSet(timer):
                self._start(key, keyed, timer)
            case TimerCancelled(id_):
                self._stop(keyed, id_)

    def _start(self, key: str, keyed: Keyed[S], timer: Timer) -> None:
        self.timers += timer.id not in keyed.timers
        keyed.timers[timer.id] = timer
        heappush(self._agenda, (timer.due, timer.id, key))
        if len(self._agenda) > 2 * self.timers + SPARE_ENTRIES:
            self._agenda = [entry for entry in self._agenda if self.runs(*entry)]
            heapify(self._agenda)

    def _stop(self, keyed: Keyed[S], id_: str) -> None:
        if keyed.timers.pop(id_, None) is not None:
            self.timers -= 1

    def next_due(self) -> datetime | None:
        """Return the instant the next timer is due, or None when none runs."""
        while self._agenda and not self.runs(*self._agenda[0]):
            heappop(self._agenda)
        return self._agenda[0][0] if self._agenda else None

    def due(self, now: datetime) -> list[tuple[str, Timer]]:
        """Remove from the agenda, and return with their keys, the timers due at `now`, in order."""
        fired = list[tuple[str, Timer]]()
        while (due := self.next_due()) is not None and due <= now:
            _, id_, key = heappop(self._agenda)
            one = key, self._keys[key].timers[id_]
            if fired[-1:] != [one]:  # a key that has left and is back has two entries
                fired.append(one)
        return fired

    def postpone(self, key: str, timer: Timer, until: datetime) -> None:
        """Put a timer whose cause could not be decided back on the agenda."""
        heappush(self._agenda, (until, timer.id, key))

    def runs(self, due: datetime, id_: str, key: str) -> bool:
        """Whether the timer still runs and has not been moved beyond `due`."""
        keyed = self._keys.get(key)
        timer = None if keyed is None else keyed.timers.get(id_)
        return timer is not None and timer.due <= due

    def restore(self, snapshot: Snapshot) -> None:
        """Let the key of `snapshot` start from it."""
        keyed = self[snapshot.key]
        keyed.snapshot_n = snapshot.n
        document = from_json(unpacked(snapshot.state))
        keyed.state = self._decider.state.model_validate_json(to_json(document["state"]))
        keyed.rested_n = document.get("rested", 0)
        for timer in map(timer_from, document["timers"]):
            self._start(snapshot.key, keyed, timer)

    def take_changes(self) -> dict[str, bytes | None]:
        """Return the keys touched since the last call with their states; None for an empty one."""
        dirty, self._dirty = self._dirty, set()
        return {key: None if self.is_empty(key) else _dump(self._keys[key]) for key in sorted(dirty)}

    def wake(self, snapshot: Snapshot) -> None:
        """Go on with a key that rested, or is gone; it is among the next changes whatever becomes of it."""
        if snapshot.state:
            self.restore(snapshot)
        keyed = self[snapshot.key]
        keyed.snapshot_n = keyed.rested_n = snapshot.n
        self._dirty.add(snapshot.key)

    def rests(self, key: str) -> bool:
        """Whether `key` may wait in the store."""
        return self._decider.rest is not None and self._decider.rests(self[key].state)

    def let_go(self, key: str) -> None:
        """Forget a key of which memory is no longer needed, unless it has been touched since."""
        if key not in self._dirty and (keyed := self._keys.pop(key, None)) is not None:
            self.timers -= len(keyed.timers)

    def is_empty(self, key: str) -> bool:
        """Whether `key` is where a key never seen starts."""
        keyed = self[key]
        return not keyed.timers and keyed.state == self._decider.state()

    @property
    def empty(self) -> bytes:
        """The state of a key never seen."""
        return _dump(Keyed(self._decider.state()))


def packed(state: bytes) -> bytes:
    """Return a state as it is stored: a large one compressed, because a snapshot has a largest size."""
    return state if len(state) < LARGE_BYTES else zlib.compress(state, LEVEL)


def unpacked(state: bytes) -> bytes:
    """Return a stored state as JSON."""
    return state if state.startswith(b"{") else zlib.decompress(state)


def _dump(keyed: Keyed[S]) -> bytes:
    timers = b",".join(map(timer_json, keyed.timers.values()))
    state = keyed.state.__pydantic_serializer__.to_json(keyed.state)
    rested = b',"rested":%d' % keyed.rested_n if keyed.rested_n else b""
    return b'{"state":%b,"timers":[%b]%b}' % (state, timers, rested)
