"""One round: a member leaves in order, a fault strikes in its window, and all is whole again."""

import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from deploy.local.wait import poll
from tests.crash.faults import Fault
from tests.crash.fleet import Member, done_again, wait_for_hit
from tests.crash.stage import Stage, completed
from tests.crash.takeover import HandOver, Input, Takeover

HIT_SECONDS = 60.0
SESSION_SECONDS = 6.0
FREEZE_SECONDS = SESSION_SECONDS + 3.0
STORE_AWAY_SECONDS = 2.0
IN_FLIGHT_SECONDS = SESSION_SECONDS / 2
"""What comes so soon after a member's death was sent before it: nobody takes over within the session."""
OUTPUT = {"relay": "located", "desk": "incidents", "sink": "delivered"}


@dataclass(slots=True)
class Round:
    """What a round did and cost; `recovery` has seconds by kind of fault, one for each input that was hit."""

    fault: Fault
    victim: str = ""
    left: str = ""
    """The member that was told to leave in order."""
    recovery: dict[str, list[float]] = field(default_factory=dict)
    redone: int = 0
    """Causes decided before and events published again, by the members' own count."""
    repeated: int = 0
    """Records that came again, byte for byte, by the reader's count."""

    def took(self, kind: str, seconds: list[float]) -> None:
        """Note how long the inputs of a member stood still after a fault of `kind`."""
        self.recovery[kind] = seconds

    @property
    def counts(self) -> bool:
        """Whether anything had to be redone: otherwise the fault has proved nothing."""
        return self.redone + self.repeated > 0


def play(stage: Stage, fault: Fault, seed: int) -> Round:
    """Play one round on a running stage. Raises TimeoutError when the stream does not come back."""
    chance = random.Random(seed)
    victim, leaver = chance.sample(stage.fleet.members[fault.role], 2)
    if not fault.in_rebalance:
        leaver = chance.choice(stage.fleet.all)
    before, repeats = stage.fleet.counts(), stage.reader.checker.repeats
    result = Round(fault, victim.name, leaver.name)
    result.took("SIGTERM", _leave(stage, leaver))
    if fault.in_rebalance:
        inputs = stage.fleet.owners(fault.role)[victim.name]
        at = _hit(victim, fault, leaver.start)
    else:
        leaver.start()
        stage.fleet.wait_complete()
        time.sleep(chance.uniform(0.5, 1.5))
        inputs = stage.fleet.owners(fault.role)[victim.name]
        at = _hit(victim, fault)
    STRIKES[fault.kind](Struck(stage, fault, victim, inputs, at, result))
    stage.fleet.wait_complete()
    stage.settle()
    result.redone = done_again(before, stage.fleet.counts())
    result.repeated = stage.reader.checker.repeats - repeats
    return result


def _leave(stage: Stage, leaver: Member) -> list[float]:
    """Stop a member with SIGTERM; return how many seconds its inputs stood still until others had them."""
    inputs = stage.fleet.owners(leaver.role)[leaver.name]
    hand_over = HandOver(leaver.role, inputs, time.time())
    stage.watch(hand_over)
    leaver.process.stop()
    hand_over.gone(time.time())
    return completed(hand_over)


def _hit(victim: Member, fault: Fault, then: Callable[[], None] = lambda: None, action: str = "") -> float:
    """Have `victim` struck in the fault's window; `then` brings it there. Return when it was."""
    alone = fault.kind if fault.kind in ("kill", "freeze") else "hold"
    victim.arm(fault.window, action or alone)
    then()
    at = wait_for_hit(victim, HIT_SECONDS)
    if not at:
        raise TimeoutError(f"{victim.name} did not come to {fault.window} within {HIT_SECONDS:g} s")
    return at


@dataclass(frozen=True, slots=True)
class Struck:
    """A member in the window of its fault: what it owns, and when it got there (epoch seconds)."""

    stage: Stage
    fault: Fault
    victim: Member
    inputs: Collection[Input]
    at: float
    result: Round

    def takeover(self, kind: str, begun: float) -> None:
        """Wait until all of the member's inputs go on; note the seconds since `begun` under `kind`."""
        since = begun + IN_FLIGHT_SECONDS if "kill" in kind or kind == "freeze" else begun
        takeover = self.stage.watch(Takeover(self.victim.role, self.inputs, begun, since))
        self.result.took(kind, completed(takeover))


def _kill(hit: Struck) -> None:
    hit.takeover("kill", hit.at)
    _revive(hit.victim)


def _revive(victim: Member) -> None:
    victim.process.kill()  # it has killed itself; this only buries it
    victim.start()


def _freeze(hit: Struck) -> None:
    hit.takeover("freeze", hit.at)
    time.sleep(max(0.0, hit.at + FREEZE_SECONDS - time.time()))
    hit.victim.process.resume()


def _broker(hit: Struck) -> None:
    """Kill the leader of an output partition in the window; then, while it is down, the member in it."""
    kafka, victim = hit.stage.servers.kafka, hit.victim
    broker = kafka.leader_of(hit.stage.world.topic(OUTPUT[victim.role]), min(hit.inputs)[1])
    begun = time.time()
    kafka.kill(broker)
    victim.go()
    if hit.stage.servers.brokers == 1:
        kafka.start(broker)
    hit.takeover("broker", begun)
    hit.takeover("kill, broker down", _hit(victim, hit.fault, action="kill"))
    kafka.start(broker)
    poll(hit.stage.fleet.in_sync, HIT_SECONDS, "all replicas in sync again")
    _revive(victim)


def _store(hit: Struck) -> None:
    """Kill the store for a while; what counts is the first decision made after that."""
    store, begun = hit.stage.servers.store, time.time()
    store.kill()
    hit.victim.go()
    killed = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    takeover = hit.stage.watch(Takeover(hit.victim.role, hit.inputs, begun, decided=killed))
    time.sleep(STORE_AWAY_SECONDS)
    store.start()
    hit.result.took("store", completed(takeover))


STRIKES: dict[str, Callable[[Struck], None]] = {
    "kill": _kill,
    "freeze": _freeze,
    "broker": _broker,
    "store": _store,
}


def silence(stage: Stage, start_again: bool = True) -> float | None:
    """After `drain`: one report, the death of its desk's process, nothing more. Seconds until its timer.

    None when the review did not come. Seconds count from the death, which waits until no report would come
    again because of it. Raises RuntimeError when the timer was faster than that.
    """
    number = stage.source.one_more(key=0)
    checker = stage.reader.checker
    poll(partial(checker.settled, number), HIT_SECONDS, "the last report to come out")
    poll(
        partial(stage.fleet.committed, "desk", stage.fleet.places("located")),
        HIT_SECONDS,
        "the desks' offsets",
    )
    place = False, stage.reader.origins.of_desk("d0")
    owner = next(name for name, inputs in stage.fleet.owners("desk").items() if place in inputs)
    victim = next(member for member in stage.fleet.members["desk"] if member.name == owner)
    victim.process.kill()
    died = time.monotonic()
    if number in checker.reviewed:
        raise RuntimeError("the last timer fired before its desk could be killed")
    if start_again:
        victim.start()
    deadline = died + HIT_SECONDS
    while number not in checker.delivered_review and time.monotonic() < deadline:
        time.sleep(0.05)
    return time.monotonic() - died if number in checker.delivered_review else None
