"""Agreements as files, on their topic, and in a replica's memory."""

import tomllib
from datetime import timedelta
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from services.notify.agreements import FRESH_SECONDS, Agreements, agreement_of
from services.notify.cli import agreements
from services.notify.files import NOTICE, AgreementsError, load_agreements, too_soon
from services.notify.handlers import REVIEW
from services.notify.metrics import NotifyMetrics
from shared.bus import Retry
from shared.bus.testing import NOON
from shared.cli import COMMANDS
from shared.contracts import AgreementWithdrawn, ContractError
from shared.contracts.topics import AGREEMENTS
from tests.bus.support import record_of
from tests.notify.support import DAY, Hands, agreement, opened, terms, withdrawn

GOOD = """
id: mou-1
agency: rescue
parties: [rescue, police-67]
terms:
  - version: 1
    categories: [road_accident]
    areas: ["67"]
    fields: [lifecycle, category]
    valid_from: 2026-01-01T00:00:00+07:00
    valid_until: 2027-01-01T00:00:00+07:00
"""


def problems(folder: Path, **files: str) -> list[str]:
    """What is wrong with files of these names and contents."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    with pytest.raises(AgreementsError) as raised:
        load_agreements(folder)
    return raised.value.problems


def test_a_good_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "rescue.yaml").write_text(GOOD)
    ended = GOOD.replace("mou-1", "mou-2") + "withdrawn: {effective_at: 2026-06-01T00:00:00Z}\n"
    (tmp_path / "ended.yaml").write_text(ended)
    ended_one, good = load_agreements(tmp_path)
    assert (good.agreement_id, good.terms[0].areas) == ("mou-1", ("67",))
    assert isinstance(ended_one, AgreementWithdrawn)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (('areas: ["67"]', "areas: [67]"), "terms.0.areas.0: Input should be a valid string"),
        (("version: 1", "version: 0"), "terms.0.version"),
        (("agency: rescue\n", ""), "agency: Field required"),
        (("agency: rescue", "agency: hospital"), "parties: hospital is to see something and has not signed"),
        (("fields: [lifecycle", "fields: [exercise, lifecycle"), "terms.0.fields: exercise is no field"),
        (("2027-01-01", "2025-01-01"), "terms.0.valid_until: it ends before it begins"),
        (("T00:00:00+07:00\n    valid_until", "T00:00:00\n    valid_until"), "terms.0.valid_from"),
        (("categories: [road_accident]", "categories: []"), "terms"),
        (("terms:", "term:"), "term: Extra inputs are not permitted"),
        (("id: mou-1", "id: [mou-1"), "file: cannot be read: ParserError at line"),
        (("2027-01-01", "2027-02-30"), "file: cannot be read: YAMLError: ValueError: day is out of range"),
        (("id: mou-1", "id: " + "[" * 9_000), "file: cannot be read: YAMLError: RecursionError"),
    ],
)
def test_a_wrong_file_is_refused_with_file_field_and_reason(
    tmp_path: Path, change: tuple[str, str], problem: str
) -> None:
    found = problems(tmp_path, rescue=GOOD.replace(*change))
    assert any(line.startswith(f"rescue.yaml: {problem}") for line in found), found


def test_two_files_of_one_agreement_and_an_empty_folder_are_mistakes(tmp_path: Path) -> None:
    assert problems(tmp_path) == [f"{tmp_path.name}: no file ends in .yaml"]
    assert problems(tmp_path, a=GOOD, b=GOOD) == ["b.yaml: id: another file has the agreement mou-1"]


@given(text=st.text(max_size=200))
def test_no_file_makes_it_raise_anything_else(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("agreements")
    (folder / "any.yaml").write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(AgreementsError):
        load_agreements(folder)


def test_a_change_must_be_announced_before_it_takes_effect() -> None:
    old = agreement()
    assert REVIEW + timedelta(seconds=FRESH_SECONDS) < NOTICE
    assert too_soon(None, old, NOON) is None
    assert too_soon(old, old, NOON) is None
    assert too_soon(old, agreement(fields=("text",)), NOON) is not None
    announced = terms(version=2, fields=("text",), valid_from=NOON + NOTICE, valid_until=NOON + DAY)
    assert too_soon(old, agreement("rescue", terms(), announced), NOON) is None
    assert too_soon(old, agreement("rescue", terms(), announced), NOON + timedelta(seconds=1)) is not None
    assert too_soon(old, withdrawn(old, NOON), NOON) is None
    assert too_soon(old, agreement("hospital", id_=old.agreement_id), NOON) is not None


def test_a_withdrawal_may_end_what_is_in_effect_at_once_but_show_nothing_more_however_far_its_date() -> None:
    old, far = agreement(), NOON + timedelta(days=20_000)
    wider = terms(fields=("lifecycle", "category", "text"))
    announced = terms(version=2, fields=("text",), valid_from=NOON + NOTICE)
    assert too_soon(old, withdrawn(agreement("rescue", wider), far), NOON) is not None
    assert too_soon(old, withdrawn(agreement("rescue", wider), NOON), NOON) is None
    assert too_soon(old, withdrawn(agreement("rescue", terms(), announced), far), NOON) is None
    moved = too_soon(old, withdrawn(agreement("hospital", id_=old.agreement_id), NOON), NOON)
    assert moved is not None
    assert moved.startswith("agency:")


def test_a_withdrawal_can_be_put_off_only_while_every_replica_can_still_hear_of_it() -> None:
    soon, later = (withdrawn(agreement(), NOON + after) for after in (NOTICE / 2, 2 * NOTICE))
    assert too_soon(soon, later, NOON) is not None
    assert too_soon(later, withdrawn(agreement(), NOON + 3 * NOTICE), NOON) is None
    assert too_soon(later, soon, NOON) is None


def test_a_replica_that_has_not_looked_lately_gives_no_agreements() -> None:
    hands = Hands()
    known = Agreements(NotifyMetrics(), hands)
    with pytest.raises(Retry):
        known.book()
    known.take({b"mou-rescue": agreement()})
    known.confirm(hands.now)
    assert list(known.book().by_id) == ["mou-rescue"]
    hands.now += FRESH_SECONDS + 0.1
    assert not known.current
    with pytest.raises(Retry):
        known.book()


def test_what_is_unreadable_or_a_tombstone_grants_nothing() -> None:
    known = Agreements(NotifyMetrics())
    known.take({b"a": agreement(id_="a"), b"b": agreement(id_="b")})
    known.take({b"a": None})
    known.confirm(float("inf"))
    assert list(known.book().by_id) == ["b"]
    known.forget()
    assert not known.current


def test_it_is_shown_at_any_moment_whether_the_agreements_are_current() -> None:
    hands, metrics = Hands(), NotifyMetrics()
    known = Agreements(metrics, hands)
    known.confirm(hands.now)
    assert _shown(metrics, "ruamjai_notify_agreements_current") == 1
    hands.now += FRESH_SECONDS + 0.1  # the reader hangs, and says nothing
    assert _shown(metrics, "ruamjai_notify_agreements_current") == 0


def _shown(metrics: NotifyMetrics, name: str) -> float:
    [value] = [s.value for family in metrics.collect() for s in family.samples if s.name == name]
    return value


def test_it_is_shown_when_an_agreement_runs_out_unless_somebody_wanted_it_to_end() -> None:
    metrics = NotifyMetrics()
    known = Agreements(metrics)
    later = agreement("rescue", terms(), terms(version=2, valid_until=NOON + 9 * DAY))
    known.take({b"mou-rescue": later, b"mou-ems": agreement("ems")})
    known.confirm(0)
    known.take({b"mou-ems": withdrawn(agreement("ems"), NOON + DAY)})
    known.confirm(1)
    shown = {s.labels["agreement"]: s.value for f in metrics.collect() for s in f.samples if "ends" in s.name}
    assert shown == {"mou-rescue": (NOON + 9 * DAY).timestamp()}


def on_topic(value: bytes | None, key: bytes = b"mou-rescue", headers: object = ()) -> ConsumerRecord:
    """A record of the topic as a reader gets it."""
    size = len(value or b"")
    return ConsumerRecord(AGREEMENTS.name, 0, 0, 0, 0, key, value, None, len(key), size, headers)


def test_a_record_is_an_agreement_only_under_its_own_id() -> None:
    record = record_of(AGREEMENTS, agreement())
    assert agreement_of(on_topic(record.value, headers=record.headers)) == agreement()
    assert agreement_of(on_topic(None)) is None
    other = record_of("incidents", opened())
    for bad in (
        on_topic(record.value, b"another", record.headers),
        on_topic(b"{}", headers=record.headers),
        on_topic(other.value, headers=other.headers),
    ):
        with pytest.raises(ContractError):
            agreement_of(bad)


def test_the_command_says_what_is_wrong_and_publishes_nothing(tmp_path: Path) -> None:
    (tmp_path / "rescue.yaml").write_text(GOOD.replace("agency: rescue", "agency: hospital"))
    away = {"KAFKA_URL": "127.0.0.1:1"}
    refused = CliRunner().invoke(agreements, ["publish", str(tmp_path)], env=away)
    assert refused.exit_code == 1
    assert "rescue.yaml: parties: hospital is to see something and has not signed" in refused.output
    (tmp_path / "rescue.yaml").write_text(GOOD)
    unreachable = CliRunner().invoke(agreements, ["publish", str(tmp_path)], env=away)
    assert unreachable.exit_code == 1
    assert "Kafka" in unreachable.output


def test_the_command_is_brought_to_the_front() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    brought = EntryPoint("agreements", project["entry-points"][COMMANDS]["agreements"], COMMANDS)
    assert brought.load() is agreements
