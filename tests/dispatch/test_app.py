"""The process says what is wrong with its settings or its pack, and is put together of what it says it is."""

from pathlib import Path

import pytest

from services.dispatch.app import build, rules_of
from services.dispatch.service import dispatch
from services.dispatch.turn import Rules
from shared.bus import launch
from shared.bus.runtime import EXIT_CONFIGURATION
from shared.settings import Settings
from tests.dispatch.stage import PACK


@pytest.mark.parametrize(
    ("variable", "value"), [("KAFKA_URL", ""), ("ACKNOWLEDGE_SECONDS", "-1"), ("PACK_DIR", "nowhere")]
)
def test_what_is_wrong_stops_it_with_the_code_of_wrong_settings(
    variable: str,
    value: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("KAFKA_URL", "localhost:9")
    monkeypatch.setenv(variable, str(tmp_path / value) if variable == "PACK_DIR" else value)
    with pytest.raises(SystemExit) as stopped:
        launch("dispatch", build)
    assert stopped.value.code == EXIT_CONFIGURATION
    assert variable in caplog.text or "pack.yaml" in caplog.text


def test_its_periods_are_settings() -> None:
    rules = rules_of(
        Settings(
            service="dispatch",
            kafka_url="localhost:9",
            acknowledge_seconds=1,
            close_seconds=2,
            forget_seconds=3,
        )
    )
    assert (rules.acknowledge_seconds, rules.close_seconds, rules.forget_seconds) == (1, 2, 3)


def test_its_groups_and_what_they_read() -> None:
    declared = {s.group: {topic.name for topic in s.topics} for s in dispatch(Rules(PACK)).subscriptions}
    assert declared == {
        "dispatch": {"reports.located.urgent", "desks.commands", "reports.located"},
        "dispatch-index": {"incidents"},
        "dispatch-gateway": {f"agency.{code}.responses" for code in ("ems", "police", "province", "rescue")},
    }
