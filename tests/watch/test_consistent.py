"""Rules, dashboards, runbooks and catalogues speak of the same things; none can drift from the others."""

import json
import re
from pathlib import Path

import pytest
import yaml

from deploy.watch.__main__ import written
from deploy.watch.catalogues import known
from deploy.watch.dashboards import DASHBOARDS
from tests.watch.rules import NAME, ROOT, RULES, alerts, rules

OPERATE = ROOT / "docs" / "operate.md"
RUNBOOKS = {path.stem for path in (ROOT / "docs" / "operate").glob("[A-Z]*.md")} - {"README"}
SECTIONS = ("## What it means", "## What people notice", "## Look", "## Do", "## It is over when", "## Tried")


def unknown_in(text: str) -> set[str]:
    """The names in `text` that neither a catalogue nor a recording rule has."""
    series = {name for metric in known() for name in metric.series()}
    series |= {rule["record"] for rule in rules() if "record" in rule}
    return set(NAME.findall(text)) - series


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_rules_speak_of_metrics_that_exist(path: Path) -> None:
    found = yaml.safe_load(path.read_text())
    text = " ".join(rule["expr"] for group in found["groups"] for rule in group["rules"])
    assert NAME.findall(text) or "vector" in text
    assert not unknown_in(text)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_dashboards_speak_of_metrics_that_exist(name: str) -> None:
    panels = DASHBOARDS[name]()["panels"]
    assert not unknown_in(" ".join(target["expr"] for p in panels for target in p.get("targets", ())))


def test_every_metric_is_on_a_dashboard() -> None:
    shown = " ".join(written().values())
    assert not [metric.name for metric in known() if not re.search(rf"\b{metric.name}", shown)]


@pytest.mark.parametrize("path", written(), ids=lambda path: path.stem)
def test_the_committed_dashboards_are_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == written()[path], "run: make docs"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_of_a_dashboard_do_not_overlap_and_have_ids_of_their_own(name: str) -> None:
    panels = DASHBOARDS[name]()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert json.loads(json.dumps(panels)) == panels


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    assert {rule["alert"] for rule in alerts()} == RUNBOOKS
    for rule in alerts():
        assert rule["annotations"]["runbook_url"] == f"docs/operate/{rule['alert']}.md"
        assert rule["labels"]["severity"] in ("page", "ticket", "none")


@pytest.mark.parametrize("name", sorted(RUNBOOKS))
def test_a_runbook_says_all_that_is_needed_at_night(name: str) -> None:
    text = (ROOT / "docs" / "operate" / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    places = [text.find(f"\n{section}\n") for section in SECTIONS]
    assert -1 not in places
    assert places == sorted(places)
    assert not unknown_in(text)


def test_the_operators_page_lists_every_alert_with_its_runbook() -> None:
    listed = re.findall(
        r"^\| \[(\w+)\]\(operate/\1\.md\) \|", OPERATE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(listed) == sorted(RUNBOOKS)
