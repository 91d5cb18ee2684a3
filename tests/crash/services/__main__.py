"""`make crash`: faults aimed at each of the four services under load, and a judge. Exits 1 on red."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from deploy.local.unavailable import Unavailable
from tests.crash.__main__ import attempt
from tests.crash.checker import Verdict
from tests.crash.faults import schedule
from tests.crash.services import report
from tests.crash.services.faults import DECK
from tests.crash.services.rounds import Round, play, silence
from tests.crash.services.stage import Load, Stage
from tests.crash.stage import EXIT_UNAVAILABLE, Servers, servers

TRIES = 3
QUIET_SECONDS = 30.0
RESULT = Path("build/crash-services.json")
LONG = {"rounds": 8, "brokers": 1, "rate": 20}
SHORT = {"rounds": 1, "brokers": 1, "rate": 10}


def main() -> int:
    """Run; return the exit code."""
    args = arguments()
    print(f"seed {args.seed}; {again(args)}")
    directory = Path(tempfile.mkdtemp(prefix="ruamjai-crash-services-"))
    try:
        with servers(directory, args.brokers) as running:
            green = run(args, running, directory)
    except Unavailable as reason:
        print(f"this machine cannot run the servers: {reason}")
        return EXIT_UNAVAILABLE
    print(f"logs: {directory}")
    if not green:
        print(f"RED with seed {args.seed}; again: {again(args)}")
    return 0 if green else 1


def arguments() -> argparse.Namespace:
    """Parse the command line; `--short` sets what fits a test run, and the others still win."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.services", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true", help=f"defaults {SHORT}")
    for name, default in LONG.items():
        parser.add_argument(f"--{name}", type=int, default=SHORT[name] if "--short" in sys.argv else default)
    return parser.parse_args()


def again(args: argparse.Namespace) -> str:
    """Return the command that replays a run."""
    options = " ".join(f"--{name} {getattr(args, name)}" for name in ("seed", *LONG))
    return f"python -m tests.crash.services {options}"


def run(args: argparse.Namespace, running: Servers, directory: Path) -> bool:
    """Play all rounds and judge; return whether the run is green."""
    stage = Stage(running, directory / "members", Load(args.seed, args.rate))
    rounds: list[Round] = []
    timer: list[float | None] = [None]
    try:
        stage.begin()
        begun = time.monotonic()
        print(f"flowing; {stage.judge.firsts.repeats} records repeated before the first fault\n{report.HEAD}")
        broken = attempt(lambda: play_all(stage, args, rounds))
        offered = stage.source.offered / (time.monotonic() - begun)
        broken = attempt(lambda: finish(stage, timer)) or broken
        verdict = judged(stage, timer[0], broken)
    finally:
        stage.close()
    print(report.table(verdict, offered, timer[0], stage.judge.canaries.found))
    report.save(RESULT, rounds, verdict, offered, timer[0], command=again(args))
    return verdict.green


def play_all(stage: Stage, args: argparse.Namespace, rounds: list[Round]) -> None:
    """Play every scheduled fault until it has caused something to be redone."""
    for number, (fault, seed) in enumerate(schedule(args.seed, args.rounds, DECK), 1):
        for again in range(TRIES):
            rounds.append(play(stage, fault, seed + again, number))
            print(report.line(number, rounds[-1]), flush=True)
            if rounds[-1].counts:
                break


def finish(stage: Stage, timer: list[float | None]) -> None:
    """Let everything come to its end, then silence; then ask every incident that is open for its owner."""
    stage.drain(QUIET_SECONDS)
    if stage.ended:
        raise TimeoutError(f"these ended by themselves: {', '.join(stage.ended)}")
    stage.caught_up(QUIET_SECONDS)
    timer[0] = silence(stage)
    stage.ask_owners()
    stage.wait_green(QUIET_SECONDS)
    stage.caught_up(QUIET_SECONDS)
    stage.fleet.stop()
    stage.search()


def judged(stage: Stage, timer: float | None, broken: bool) -> Verdict:
    """Return the judge's verdict, with what only the run as a whole can tell."""
    verdict = stage.verdict()
    whole = {
        "did not recover": int(broken),
        "silent timer missing": int(timer is None),
        "source failed": int(stage.source.failed is not None),
        "wrongly signed webhooks": stage.hook.forged,
        "not as the contract says": len(stage.reader.troubles),
    }
    return Verdict(verdict.counts, {**verdict.red, **{name: count for name, count in whole.items() if count}})


if __name__ == "__main__":
    sys.exit(main())
