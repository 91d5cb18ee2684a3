"""Alerts fire on situations that were provoked and recorded, and are silent when all is well."""

from pathlib import Path

import pytest
import yaml

from deploy.local.native import promtool_binary
from deploy.local.unavailable import Unavailable
from tests.watch.promtool import run, suite
from tests.watch.rules import RULES, alerts
from tests.watch.situations import ALWAYS, SITUATIONS


@pytest.fixture(scope="module")
def promtool() -> Path:
    try:
        return promtool_binary(build=False)
    except Unavailable as reason:
        pytest.skip(f"expected: {reason}")


def test_the_rules_are_valid(promtool: Path) -> None:
    code, said = run(promtool, "check", "rules", *map(str, RULES))
    assert code == 0, said


@pytest.mark.parametrize("name", SITUATIONS)
def test_exactly_the_alerts_fire_that_should(promtool: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.yml"
    path.write_text(yaml.safe_dump(suite(name), width=10_000))
    code, said = run(promtool, "test", "rules", str(path))
    assert code == 0, said


def test_what_takes_days_is_judged_as_well(promtool: Path) -> None:
    code, said = run(promtool, "test", "rules", "tests/watch/made.yml")
    assert code == 0, said


def test_every_alert_has_been_provoked_or_made() -> None:
    fired = [alerts for situation in SITUATIONS.values() for alerts in situation.firing.values()]
    recorded = ALWAYS.union(*fired)
    made = (Path(__file__).parent / "made.yml").read_text()
    assert not [
        rule["alert"] for rule in alerts() if rule["alert"] not in recorded and rule["alert"] not in made
    ]
