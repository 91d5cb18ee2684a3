"""What a run prints and keeps: a line a round, a table, and JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.crash.checker import Verdict
from tests.crash.services.rounds import Round

LINE = "{:>5}  {:<10}{:<11}{:<19}{:<11}{:>7}{:>9}{:>7}{:>9}  {}"
HEAD = LINE.format(
    "round", "fault", "at", "window", "left", "redone", "repeated", "asked", "whole, s", ""
).rstrip()


def line(number: int, played: Round) -> str:
    """Return the line of one round."""
    fault = played.fault
    return LINE.format(
        number,
        fault.kind,
        played.victim,
        fault.window,
        played.left,
        played.redone,
        played.repeated,
        played.asked_again,
        f"{played.seconds:.1f}",
        "" if played.counts else "nothing redone: does not count, once more",
    ).rstrip()


def table(verdict: Verdict, offered: float, timer: float | None, found: Mapping[str, int]) -> str:
    """Return what a run came to; `found` is where canaries were."""
    wrong = ", ".join(f"{name} {count:,}" for name, count in verdict.red.items())
    return "\n".join(
        [
            f"\noffered {offered:.1f} reports/s; "
            + ", ".join(f"{k} {v:,}" for k, v in verdict.counts.items()),
            "timer of a dead and silent desk: " + ("never" if timer is None else f"after {timer:.1f} s"),
            *(f"canaries in {place}: {count}" for place, count in found.items()),
            f"verdict: {'RED: ' + wrong if wrong else 'green: ' + GREEN}",
        ]
    )


GREEN = "lost 0, duplicates 0, disorder 0, gaps 0, double bookings 0, leaks 0, ledger complete"


def save(
    path: Path, rounds: Sequence[Round], verdict: Verdict, offered: float, timer: float | None, command: str
) -> None:
    """Write everything as JSON."""
    path.parent.mkdir(exist_ok=True)
    document = {
        "command": command,
        "offered_per_second": offered,
        "silent_timer_seconds": timer,
        "verdict": asdict(verdict),
        "rounds": [asdict(played) for played in rounds],
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
