"""Nobody reads what is sealed or withheld, wherever they look; and the look itself finds what is there."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy.local.demo.judge import is_in, readable
from deploy.local.demo.running import app
from deploy.local.demo.world import SERVICES
from deploy.local.unavailable import Unavailable
from tests.canary.morning import (
    CITIZENS,
    DRILL,
    ELSEWHERE,
    EXACT,
    MAY_ASK,
    PHONES,
    SEES_ALL,
    SEES_LITTLE,
    SPELT,
    WORD,
)
from tests.canary.watch import Watched, watched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
REAL = pytest.param("native", marks=[pytest.mark.real_kafka, pytest.mark.real_mongo], id="real servers")


@pytest.mark.parametrize("servers", [pytest.param(None, id="embedded"), REAL])
async def test_what_is_sealed_or_withheld_is_nowhere_and_what_is_granted_is_there(
    tmp_path: Path, servers: str | None
) -> None:
    try:
        seen = await watched(tmp_path, servers)
    except Unavailable as reason:
        pytest.skip(f"needs servers of its own: {reason}")
    assert seen.wrong == []
    assert seen.found() == []
    _everything_was_looked_through(seen)
    for canary in (WORD, *map(str, EXACT.values()), "patrol-6701"):
        assert is_in(canary, seen.at(SEES_ALL))
    assert is_in("16.42", seen.at(MAY_ASK))
    for agency in (SEES_ALL, SEES_LITTLE, MAY_ASK):
        assert not is_in(DRILL, seen.at(agency))
        assert not is_in(ELSEWHERE, seen.at(agency))
    content = seen.disclosures[MAY_ASK].json()["content"]
    assert all(canary in content["text"] for canary in (PHONES[0], PHONES[2], CITIZENS[1], SPELT))
    assert {*content} == {"text", "name", "phone", "line_id", "address"}
    assert seen.disclosures[SEES_LITTLE].status_code == 403


def _everything_was_looked_through(seen: Watched) -> None:
    """Each kind of place held something of this morning: nothing found in an empty place proves nothing."""
    looked = readable(seen.evidence)
    report_id = next(sent.report_id for sent in seen.evidence.accepted if sent.scene == "accident")
    assert {f"file {service}.log" for service in SERVICES} <= {*looked}
    for place in (
        "topic reports.received",
        "topic incidents",
        f"topic agency.{SEES_ALL}.incidents",
        "a webhook",
    ):
        assert is_in(report_id, looked[place])
    assert any(is_in(report_id, looked[place]) for place in looked if place.startswith("file "))
    assert is_in("accept report", looked["the traces"])
    assert {place for place in looked if place.endswith(".dlq")}


@pytest.mark.parametrize(
    ("mistakes", "said"),
    [
        (
            {"intake": "seal_forgotten"},
            ["in topic reports.received", "in file intake.db", "in file notify.db"],
        ),
        (
            {"intake": "mask_forgotten", "notify": "rule_skipped"},
            ["in topic incidents", "in file dispatch.db", f"leaked: {SEES_LITTLE} was told {WORD}"],
        ),
    ],
    ids=lambda given: "-".join(given.values()) if isinstance(given, dict) else "",
)
async def test_a_mistake_is_found_by_the_same_look(
    tmp_path: Path, mistakes: dict[str, str], said: list[str]
) -> None:
    def start(service: str) -> Sequence[str]:
        if service in mistakes:
            return ["-m", "tests.canary.sabotage", service, mistakes[service]]
        return app(service)

    found = (await watched(tmp_path, None, start)).found()
    for words in said:
        assert any(words in problem for problem in found), (words, found)
