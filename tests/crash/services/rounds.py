"""One round: a member leaves in order, a fault strikes in its window, and all is whole again."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import TopicPartition

from deploy.local.wait import poll
from tests.crash.faults import Fault
from tests.crash.fleet import Member, done_again, wait_for_hit
from tests.crash.rounds import FREEZE_SECONDS, HIT_SECONDS, STORE_AWAY_SECONDS
from tests.crash.services.judge import LOCATED
from tests.crash.services.stage import SERVICES, Stage

OUTPUT = {
    "intake": "reports.received",
    "geo": "reports.located",
    "dispatch": "incidents",
    "notify": "deliveries",
}
ACTION = {"kill": "kill", "agreement": "kill", "freeze": "freeze", "broker": "hold", "store": "hold"}
INPUTS = (*LOCATED, "desks.commands")


@dataclass(slots=True)
class Round:
    """What a round did and cost."""

    fault: Fault
    victim: str = ""
    left: str = ""
    """The member that was told to leave in order."""
    seconds: float = 0.0
    """From the fault until every report accepted till then, and some more, were in incidents."""
    redone: int = 0
    """By the members' own count: causes decided before, events published again, requests answered again."""
    repeated: int = 0
    """Records that came again, byte for byte."""
    asked_again: int = 0
    """Requests that a reporter had to repeat."""

    @property
    def counts(self) -> bool:
        """Whether anything had to be redone: otherwise the fault has proved nothing."""
        asked_again = self.asked_again if self.fault.role == "intake" else 0
        return self.redone + self.repeated + asked_again > 0


def play(stage: Stage, fault: Fault, seed: int, number: int) -> Round:
    """Play one round on a running stage. Raises TimeoutError when the services do not come back."""
    chance = random.Random(seed)
    victim, other = chance.sample(stage.fleet.members[fault.role], 2)
    leaver = other if fault.in_rebalance else chance.choice(stage.fleet.members[SERVICES[number % 4]])
    result = Round(fault, victim.name, leaver.name)
    before, repeats = stage.fleet.counts(), stage.judge.firsts.repeats
    asked = stage.source.repeated
    stage.some_poison()
    leaver.process.stop()
    if fault.in_rebalance:
        at = _hit(victim, fault, leaver.start)
    else:
        leaver.start()
        stage.fleet.wait_complete()
        at = _hit(victim, fault)
    STRIKES[fault.kind](stage, fault, victim)
    poll(lambda: all(m.ready() for m in stage.fleet.all), HIT_SECONDS, "all members ready")
    stage.fleet.wait_complete()
    stage.settle()
    result.seconds = time.time() - at
    result.redone = done_again(before, stage.fleet.counts())
    result.repeated = stage.judge.firsts.repeats - repeats
    result.asked_again = stage.source.repeated - asked
    return result


def _hit(victim: Member, fault: Fault, then: Callable[[], None] = lambda: None, action: str = "") -> float:
    """Have `victim` struck in the fault's window; `then` brings it there. Return when it was."""
    victim.arm(fault.window, action or ACTION[fault.kind])
    then()
    at = wait_for_hit(victim, HIT_SECONDS)
    if not at:
        raise TimeoutError(f"{victim.name} did not come to {fault.window} within {HIT_SECONDS:g} s")
    return at


def _kill(stage: Stage, fault: Fault, victim: Member) -> None:
    victim.process.kill()  # it has killed itself; this only buries it
    victim.start()


def _freeze(stage: Stage, fault: Fault, victim: Member) -> None:
    was = stage.fleet.joined(victim.role, victim.name)
    time.sleep(FREEZE_SECONDS)
    victim.process.resume()
    poll(lambda: stage.fleet.joined(victim.role, victim.name) not in ("", was), HIT_SECONDS, "a new place")


def _broker(stage: Stage, fault: Fault, victim: Member) -> None:
    """Kill the leader of an output partition in the window; then the member, with the broker still down.

    A broker that is alone starts before that: without it nobody comes to the window.
    """
    kafka = stage.servers.kafka
    broker = kafka.leader_of(OUTPUT[victim.role])
    kafka.kill(broker)
    victim.go()
    if stage.servers.brokers == 1:
        kafka.start(broker)
    _hit(victim, fault, action="kill")
    kafka.start(broker)
    poll(stage.fleet.in_sync, HIT_SECONDS, "all replicas in sync again")
    _kill(stage, fault, victim)


def _store(stage: Stage, fault: Fault, victim: Member) -> None:
    """Kill the store for a while, with the member in the window."""
    stage.servers.store.kill()
    victim.go()
    time.sleep(STORE_AWAY_SECONDS)
    stage.servers.store.start()


def _agreement(stage: Stage, fault: Fault, victim: Member) -> None:
    """Let nobody redo what the victim left before the agreement it was decided by is another."""
    others = [member for member in stage.fleet.members["notify"] if member is not victim]
    for member in [victim, *others]:
        member.process.kill()
    stage.renew()
    for member in [victim, *others]:
        member.start()


STRIKES: dict[str, Callable[[Stage, Fault, Member], None]] = {
    "kill": _kill,
    "freeze": _freeze,
    "broker": _broker,
    "store": _store,
    "agreement": _agreement,
}


def silence(stage: Stage) -> float | None:
    """After `drain`: one urgent report, the death of its desk's process, nothing more.

    Return the seconds until somebody else was asked to answer its task; None when nobody was. They count
    from the death, which waits until nothing would come again because of it. Raises RuntimeError when the
    timer was faster than that.
    """
    report = stage.clients.do(stage.source.one_more())
    poll(lambda: report in stage.judge.linked, HIT_SECONDS, "the last report in an incident")
    incident = stage.ask(lambda judge: set(judge.holders()[report])).pop()
    desk = stage.judge.views[incident]["view"]["desk"]
    task = poll(lambda: _asked(stage, incident, desk), HIT_SECONDS, "the last task to be asked for")
    number = stage.reader.places[desk]
    places = [TopicPartition(topic, number) for topic in INPUTS]
    poll(lambda: stage.fleet.committed("dispatch", places), HIT_SECONDS, "the desks' offsets")
    owners = poll(lambda: stage.fleet.partitions("dispatch"), HIT_SECONDS, "the desks' owners")
    name = next(name for name, owned in owners.items() if any(tp.partition == number for tp in owned))
    next(member for member in stage.fleet.members["dispatch"] if member.name == name).process.kill()
    died = time.monotonic()
    if task in stage.judge.escalated:
        raise RuntimeError("the last timer fired before its desk could be killed")
    while task not in stage.judge.escalated:
        if time.monotonic() - died > HIT_SECONDS:
            return None
        time.sleep(0.05)
    return time.monotonic() - died


def _asked(stage: Stage, incident: str, desk: str) -> str:
    """Return the desk's own task once its clock runs."""
    tasks = stage.judge.views[incident]["view"]["tasks"]
    return next((t["task_id"] for t in tasks if t["desk"] == desk and t["acknowledge_by"]), "")
