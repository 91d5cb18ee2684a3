"""`make crash-controls`: break one rule of the services at a time, and see the same judge go red.

Each control runs the services, one member of each, under the fault that the rule is for. The same scenario on
the unchanged services has to be green, so that red can only come from the change.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.unavailable import Unavailable
from tests.crash.checker import Verdict
from tests.crash.fleet import wait_for_hit
from tests.crash.services.stage import Load, Stage
from tests.crash.stage import EXIT_UNAVAILABLE, servers

LOAD = Load(seed=1, rate=10)
FLOW_SECONDS = 6.0
QUIET_SECONDS = 10.0
HIT_SECONDS = 30.0

Scenario = Callable[[Stage], None]
"""Plays on a running stage."""


def undisturbed(stage: Stage) -> None:
    """Let it flow."""
    time.sleep(FLOW_SECONDS)


def dies_before_committing(stage: Stage) -> None:
    """Dispatch dies when its effects are on the broker and its offsets are not."""
    time.sleep(FLOW_SECONDS)
    [victim] = stage.fleet.members["dispatch"]
    victim.arm("publish-commit", "kill")
    if not wait_for_hit(victim, HIT_SECONDS):
        raise TimeoutError(f"{victim.name} did not come to publish-commit")
    victim.process.kill()
    victim.start()
    stage.fleet.wait_complete()
    stage.settle()


@dataclass(frozen=True, slots=True)
class Control:
    """A change of `sabotage`, the scenario that needs what it breaks, and the assertion that must fail."""

    name: str
    scenario: str
    fails: str


SCENARIOS: Mapping[str, Scenario] = {
    "undisturbed": undisturbed,
    "dispatch dies before committing": dies_before_committing,
}
CONTROLS = (
    Control("rule_skipped", "undisturbed", "beyond the agreement"),
    Control("seal_forgotten", "undisturbed", "canaries"),
    Control("unit_double_booked", "undisturbed", "unit on two incidents"),
    Control("ledger_line_missing", "undisturbed", "ledger missing"),
    Control("publish_before_commit", "dispatch dies before committing", "different bytes"),
)


def play(scenario: str, control: str, directory: Path) -> Verdict:
    """Run `scenario` on servers of its own: what the topics are called is the contract's."""
    with servers(directory, 1) as running:
        stage = Stage(running, directory / "members", LOAD, members=1, control=control)
        try:
            stage.begin()
            SCENARIOS[scenario](stage)
            stage.drain(QUIET_SECONDS)
            stage.fleet.stop()
            stage.search()
            return stage.verdict()
        finally:
            stage.close()


def judge(scenario: str, controls: Sequence[Control], directory: Path) -> bool:
    """Run `scenario` unchanged and with each of `controls`; return whether all is as it must be."""
    verdict = play(scenario, "", directory / "unchanged")
    good = _told("(unchanged)", scenario, verdict, verdict.green, "green")
    for control in controls:
        verdict = play(scenario, control.name, directory / control.name)
        good &= _told(control.name, scenario, verdict, control.fails in verdict.red, control.fails)
    return good


def _told(name: str, scenario: str, verdict: Verdict, good: bool, wanted: str) -> bool:
    found = ", ".join(f"{what} {count}" for what, count in verdict.red.items()) or "green"
    print(f"{name:<22}{scenario:<33}{'ok' if good else f'NOT {wanted}':<12}{found}", flush=True)
    return good


def main() -> int:
    """Run the controls asked for, all by default; exit 1 when one does not go red."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.services.controls", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(c.name for c in CONTROLS)}")
    names = parser.parse_args().names
    chosen = [c for c in CONTROLS if c.name in names or not names]
    if unknown := set(names) - {c.name for c in CONTROLS}:
        parser.error(f"no such control: {', '.join(sorted(unknown))}")
    directory = Path(tempfile.mkdtemp(prefix="ruamjai-controls-services-"))
    good = True
    try:
        for number, scenario in enumerate(SCENARIOS):
            if found := [control for control in chosen if control.scenario == scenario]:
                good &= judge(scenario, found, directory / str(number))
    except Unavailable as reason:
        print(f"this machine cannot run the servers: {reason}")
        return EXIT_UNAVAILABLE
    print("every change was found" if good else f"NOT as it must be; logs: {directory}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
