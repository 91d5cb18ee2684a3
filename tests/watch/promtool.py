"""Judges the rules by recordings; `python -m tests.watch.promtool` builds promtool if need be."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.native import promtool_binary
from tests.watch.rules import ROOT, RULES
from tests.watch.situations import ALWAYS, SITUATIONS

RECORDINGS = Path(__file__).parent / "recordings"
FIRING = 'group by (alertname) (ALERTS{alertstate="firing"})'
Json = dict[str, Any]


def suite(name: str) -> Json:
    """A recording and what must be firing at its marks, as `promtool test rules` reads it."""
    recording = yaml.safe_load((RECORDINGS / f"{name}.yml").read_text(encoding="utf-8"))
    expected = SITUATIONS[name].firing
    test: Json = {
        "interval": recording["interval"],
        "input_series": recording["series"],
        "promql_expr_test": [
            firing_at(recording["marks"][mark], alerts | ALWAYS) for mark, alerts in expected.items()
        ],
    }
    return {
        "rule_files": [str(path) for path in RULES],
        "evaluation_interval": recording["interval"],
        "tests": [test],
    }


def firing_at(seconds: int, alerts: frozenset[str]) -> Json:
    """The expectation that these alerts, and no others, fire."""
    samples = [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in sorted(alerts)]
    return {"expr": FIRING, "eval_time": f"{seconds}s", "exp_samples": samples}


def run(promtool: Path, *arguments: str) -> tuple[int, str]:
    """Return promtool's exit code and what it said."""
    done = subprocess.run(
        [promtool, *arguments], capture_output=True, text=True, check=False, cwd=ROOT, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


if __name__ == "__main__":
    promtool_binary(build=True)
    sys.exit(pytest.main(["tests/watch"]))
