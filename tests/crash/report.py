"""What a run prints and keeps: a line a round, a table, and JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import quantiles

from tests.crash.checker import Verdict
from tests.crash.rounds import Round

LINE = "{:>5}  {:<7}{:<8}{:<16}{:<9}{:>7}{:>9}  {}"
HEAD = LINE.format("round", "fault", "at", "window", "left", "redone", "repeated", "longest recovery, s")
GOALS = {"kill": 10.0, "SIGTERM": 2.0}


def line(number: int, played: Round) -> str:
    """Return the line of one round."""
    return LINE.format(
        number,
        played.fault.kind,
        played.victim,
        played.fault.window,
        played.left,
        played.redone,
        played.repeated,
        ", ".join(f"{kind} {max(seconds, default=0):.1f}" for kind, seconds in played.recovery.items())
        + ("" if played.counts else "; nothing redone: does not count, once more"),
    )


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """Return p50 and p99, in the unit given; the longest counts as p99 of less than a hundred."""
    if len(seconds) < 2:
        return (*seconds, *seconds)[:2] if seconds else (0.0, 0.0)  # type: ignore[return-value]
    cuts = quantiles(seconds, n=100, method="inclusive")
    return cuts[49], cuts[98] if len(seconds) >= 100 else max(seconds)


def recoveries(rounds: Sequence[Round]) -> Mapping[str, list[float]]:
    """Return the seconds of every take-over by the kind of fault behind it."""
    found: dict[str, list[float]] = {}
    for played in rounds:
        for kind, seconds in played.recovery.items():
            found.setdefault(kind, []).extend(seconds)
    return found


def table(rounds: Sequence[Round], verdict: Verdict, rate: float, timer: float | None) -> str:
    """Return what a run came to."""
    rows = [f"\n{'recovery':<18}{'inputs':>7}{'p50 s':>8}{'p99 s':>8}   goal"]
    for kind, seconds in sorted(recoveries(rounds).items()):
        p50, p99 = percentiles(seconds)
        goal = GOALS.get(kind)
        told = "" if goal is None else f"p99 <= {goal:g} s: {'met' if p99 <= goal else 'NOT met'}"
        rows.append(f"{kind:<18}{len(seconds):>7}{p50:>8.2f}{p99:>8.2f}   {told}")
    rows.append(
        f"\noffered {rate:,.0f} messages/s; " + ", ".join(f"{k} {v:,}" for k, v in verdict.counts.items())
    )
    rows.append("timer of a dead and silent desk: " + ("never" if timer is None else f"after {timer:.1f} s"))
    wrong = ", ".join(f"{name} {count:,}" for name, count in verdict.red.items())
    rows.append(f"verdict: {'RED: ' + wrong if wrong else 'green: lost 0, duplicates 0, disorder 0, gaps 0'}")
    return "\n".join(rows)


def save(
    path: Path, rounds: Sequence[Round], verdict: Verdict, rate: float, timer: float | None, command: str
) -> None:
    """Write everything as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    recovery = {
        kind: dict(zip(("p50", "p99"), percentiles(s), strict=True)) for kind, s in recoveries(rounds).items()
    }
    document = {
        "command": command,
        "rate": rate,
        "timer_seconds": timer,
        "recovery": recovery,
        "verdict": asdict(verdict),
        "rounds": [asdict(played) for played in rounds],
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
