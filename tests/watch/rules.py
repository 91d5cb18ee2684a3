"""The alerting and recording rules, as tests look at them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "deploy/watch/prometheus/rules").glob("*.yml"))
NAME = re.compile(r"\bruamjai[_:][a-z0-9_:]*[a-z0-9]")
"""Of a series of ours, measured or recorded."""


def rules() -> Iterator[dict[str, Any]]:
    """Every rule of every file."""
    for path in RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def alerts() -> list[dict[str, Any]]:
    """Every alert."""
    return [rule for rule in rules() if "alert" in rule]
