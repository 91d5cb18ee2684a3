"""`make crash-controls`: break one guarantee of the kernel at a time, and see the same checker go red.

Each control runs a small stream under the fault that needs the guarantee. The same scenario on the unchanged
kernel has to be green, so that red can only come from the change.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.unavailable import Unavailable
from deploy.local.wait import poll
from tests.crash.checker import Verdict
from tests.crash.fleet import wait_for_hit
from tests.crash.rounds import silence
from tests.crash.stage import EXIT_UNAVAILABLE, Load, Servers, Stage, servers

LOAD = Load(seed=1, rate=400, keys=200)
FLOW_SECONDS = 3.0
QUIET_SECONDS = 10.0
HIT_SECONDS = 30.0
# Brokers, from 1: where the control of `acks` has the replicas that it freezes, kills and spares.
KILLED, FROZEN, SPARED = 1, 2, 3
FROZEN_SECONDS = 1.5

Scenario = Callable[[Stage], Collection[str]]
"""Plays on a running stage; returns what went wrong that the checker cannot see."""


def undisturbed(stage: Stage) -> Collection[str]:
    """Let it flow."""
    time.sleep(FLOW_SECONDS)
    return ()


def struck(role: str, window: str) -> Scenario:
    """Return the scenario in which the only member of `role` dies in `window`."""

    def play(stage: Stage) -> Collection[str]:
        time.sleep(FLOW_SECONDS)
        [victim] = stage.fleet.members[role]
        victim.arm(window, "kill")
        if not wait_for_hit(victim, HIT_SECONDS):
            raise TimeoutError(f"{victim.name} did not come to {window}")
        victim.process.kill()
        victim.start()
        stage.fleet.wait_complete()
        return ()

    return play


def fetched_and_killed(stage: Stage) -> Collection[str]:
    """The store stands still, so that the desk has fetched more than it can do; then it dies."""
    time.sleep(FLOW_SECONDS)
    [victim] = stage.fleet.members["desk"]
    stage.servers.store.pause()
    time.sleep(FLOW_SECONDS)
    victim.process.kill()
    stage.servers.store.resume()
    victim.start()
    stage.fleet.wait_complete()
    return ()


def silent(stage: Stage) -> Collection[str]:
    """The desk's process dies after its last report; only its timer is left."""
    time.sleep(FLOW_SECONDS)
    stage.drain(QUIET_SECONDS)
    return () if silence(stage) is not None else ("silent timer missing",)


def leader_lost(stage: Stage) -> Collection[str]:
    """A broker dies with what its frozen follower has not got; the follower leads on."""
    time.sleep(FLOW_SECONDS)
    kafka = stage.servers.kafka
    kafka.pause(FROZEN - 1)
    time.sleep(FROZEN_SECONDS)
    kafka.kill(KILLED - 1)
    kafka.resume(FROZEN - 1)
    located = stage.world.topic("located")
    poll(lambda: kafka.leaders(located).get(0) == FROZEN - 1, HIT_SECONDS, "the follower to lead")
    kafka.start(KILLED - 1)
    poll(stage.fleet.in_sync, HIT_SECONDS, "replicas in sync")
    stage.fleet.wait_complete()
    return ()


@dataclass(frozen=True, slots=True)
class Control:
    """A change of `sabotage`, the scenario that needs what it breaks, and the assertion that must fail."""

    name: str
    scenario: str
    fails: str


SCENARIOS: Mapping[str, Scenario] = {
    "undisturbed": undisturbed,
    "relay dies before publishing": struck("relay", "decide-publish"),
    "relay dies before committing": struck("relay", "publish-commit"),
    "desk dies before publishing": struck("desk", "decide-publish"),
    "desk dies with records fetched": fetched_and_killed,
    "desk dies, then silence": silent,
    "leader dies ahead of its follower": leader_lost,
}
CONTROLS = (
    Control("dlq_swallows", "undisturbed", "lost"),
    Control("separate_consumers", "undisturbed", "seq twice"),
    Control("unkeyed_publish", "undisturbed", "strayed keys"),
    Control("commit_before_effect", "relay dies before publishing", "lost"),
    Control("random_ids", "relay dies before committing", "duplicate effects"),
    Control("done_before_durable", "desk dies before publishing", "lost"),
    Control("commit_positions", "desk dies with records fetched", "lost"),
    Control("lazy_desks", "desk dies, then silence", "silent timer missing"),
    Control("acks_one", "leader dies ahead of its follower", "lost"),
)
BROKERS = {"leader dies ahead of its follower": 3}


def play(running: Servers, scenario: str, control: str, prefix: str, directory: Path) -> Verdict:
    """Run `scenario` in a world of its own, on the kernel changed by `control` or, without one, as it is."""
    stage = Stage(running, prefix, directory / prefix, LOAD, members=1, control=control)
    try:
        stage.begin(_placed(stage) if BROKERS.get(scenario) else None)
        extra = SCENARIOS[scenario](stage)
        if stage.source.is_alive():
            stage.drain(QUIET_SECONDS)
        verdict = stage.verdict()
    finally:
        stage.close()
    return Verdict(verdict.counts, {**verdict.red, **dict.fromkeys(extra, 1)})


def _placed(stage: Stage) -> Mapping[str, Sequence[int]]:
    """Put what the relay reads where nothing stands still, and what it writes on the two that do."""
    received = {stage.world.topic("received", lane): (SPARED, KILLED) for lane in (False, True)}
    located = {stage.world.topic("located", lane): (KILLED, FROZEN) for lane in (False, True)}
    return {**received, **located}


def judge(running: Servers, scenario: str, controls: Sequence[Control], directory: Path) -> bool:
    """Run `scenario` unchanged and with each of `controls`; return whether all is as it must be."""
    slug = f"s{list(SCENARIOS).index(scenario)}"
    verdict = play(running, scenario, "", slug, directory)
    good = _told("(unchanged)", scenario, verdict, verdict.green, "green")
    for number, control in enumerate(controls):
        verdict = play(running, scenario, control.name, f"{slug}c{number}", directory)
        good &= _told(control.name, scenario, verdict, control.fails in verdict.red, control.fails)
    return good


def _told(name: str, scenario: str, verdict: Verdict, good: bool, wanted: str) -> bool:
    found = ", ".join(f"{what} {count}" for what, count in verdict.red.items()) or "green"
    print(f"{name:<22}{scenario:<36}{'ok' if good else f'NOT {wanted}':<12}{found}", flush=True)
    return good


def main() -> int:
    """Run the controls asked for, all by default; exit 1 when one does not go red."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.controls", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(c.name for c in CONTROLS)}")
    names = parser.parse_args().names
    chosen = [c for c in CONTROLS if c.name in names or not names]
    if unknown := set(names) - {c.name for c in CONTROLS}:
        parser.error(f"no such control: {', '.join(sorted(unknown))}")
    directory = Path(tempfile.mkdtemp(prefix="ruamjai-controls-"))
    good = True
    try:
        for brokers in (1, 3):
            good &= _on(brokers, chosen, directory / str(brokers))
    except Unavailable as reason:
        print(f"this machine cannot run the servers: {reason}")
        return EXIT_UNAVAILABLE
    print("every change was found" if good else f"NOT as it must be; logs: {directory}")
    return 0 if good else 1


def _on(brokers: int, chosen: Sequence[Control], directory: Path) -> bool:
    """Run those of `chosen` that need this many brokers."""
    scenarios = [name for name in SCENARIOS if BROKERS.get(name, 1) == brokers]
    by_scenario = {name: [c for c in chosen if c.scenario == name] for name in scenarios}
    if not any(by_scenario.values()):
        return True
    with servers(directory, brokers) as running:
        judged = [judge(running, name, found, directory) for name, found in by_scenario.items() if found]
    return all(judged)


if __name__ == "__main__":
    sys.exit(main())
