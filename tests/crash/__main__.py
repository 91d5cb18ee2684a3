"""`make crash`: kill, freeze and rebalance a running stream, and judge what arrives. Exits 1 on red."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from deploy.local.unavailable import Unavailable
from tests.crash import report
from tests.crash.checker import Verdict
from tests.crash.faults import schedule
from tests.crash.rounds import Round, play, silence
from tests.crash.stage import EXIT_UNAVAILABLE, Load, Servers, Stage, servers

TRIES = 3
QUIET_SECONDS = 20.0
RESULT = Path("build/crash.json")
SHORT = {"rounds": 2, "brokers": 1, "rate": 500, "keys": 1000}


def main() -> int:
    """Run; return the exit code."""
    args = arguments()
    print(f"seed {args.seed}; {again(args)}")
    directory = Path(tempfile.mkdtemp(prefix="ruamjai-crash-"))
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
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true", help=f"defaults {SHORT}")
    for name, default in {"rounds": 20, "brokers": 3, "rate": 2000, "keys": 1200}.items():
        parser.add_argument(f"--{name}", type=int, default=SHORT[name] if "--short" in sys.argv else default)
    return parser.parse_args()


def again(args: argparse.Namespace) -> str:
    """Return the command that replays a run."""
    options = " ".join(
        f"--{name} {getattr(args, name)}" for name in ("seed", "rounds", "brokers", "rate", "keys")
    )
    return f"python -m tests.crash {options}"


def run(args: argparse.Namespace, running: Servers, directory: Path) -> bool:
    """Play all rounds and judge; return whether the run is green."""
    stage = Stage(running, "crash", directory / "members", Load(args.seed, args.rate, args.keys))
    rounds: list[Round] = []
    try:
        stage.begin()
        print(
            f"flowing; {stage.reader.checker.repeats} records repeated before the first fault\n{report.HEAD}"
        )
        broken = attempt(lambda: play_all(stage, args, rounds))
        stage.drain(QUIET_SECONDS)
        timer = None if broken else silence(stage, start_again=False)
        stage.fleet.stop()
        verdict = judged(stage, rounds, timer, broken)
    finally:
        stage.close()
    rate = len(stage.ledger) / stage.source.seconds
    print(report.table(rounds, verdict, rate, timer))
    report.save(RESULT, rounds, verdict, rate, timer, command=again(args))
    return verdict.green


def attempt(step: Callable[[], None]) -> bool:
    """Do `step`; return whether it gave up waiting, which the verdict is then told."""
    try:
        step()
    except TimeoutError as error:
        print(f"gave up: {error}")
        return True
    return False


def play_all(stage: Stage, args: argparse.Namespace, rounds: list[Round]) -> None:
    """Play every scheduled fault until it has caused something to be redone."""
    for number, (fault, seed) in enumerate(schedule(args.seed, args.rounds), 1):
        for again in range(TRIES):
            rounds.append(play(stage, fault, seed + again))
            print(report.line(number, rounds[-1]), flush=True)
            if rounds[-1].counts:
                break


def judged(stage: Stage, rounds: list[Round], timer: float | None, broken: bool) -> Verdict:
    """Return the checker's verdict, with what only the run as a whole can tell."""
    verdict = stage.verdict()
    whole = {
        "did not recover": int(broken),
        "silent timer missing": int(timer is None),
        "source failed": int(stage.source.failed is not None),
    }
    return Verdict(verdict.counts, {**verdict.red, **{name: count for name, count in whole.items() if count}})


if __name__ == "__main__":
    sys.exit(main())
