"""`ruamjai rights` as an operator runs it: for the agreements in a folder, for one user, and to take away."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from deploy.local.demo.day import load_day
from services.rights import rights


@pytest.fixture(scope="module")
def agreements(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the agreements of the demonstration."""
    folder = tmp_path_factory.mktemp("agreements")
    for partner in load_day().partners:
        file = partner.agreement(datetime(2026, 1, 1, tzinfo=UTC))
        (folder / f"{partner.agency}.yaml").write_text(yaml.safe_dump(file))
    return folder


def told(agreements: Path, *options: str) -> Result:
    return CliRunner().invoke(rights, ["--agreements", str(agreements), *options])


def lines_of(result: Result) -> Sequence[str]:
    assert result.exit_code == 0, result.output
    return [line for line in result.stdout.splitlines() if line.startswith("kafka kafka-")]


def test_an_agency_gets_its_rights_and_its_quota(agreements: Path) -> None:
    principal = "kafka kafka-acls.sh --add --allow-principal User:agency-ems"
    assert lines_of(told(agreements, "--format", "kafka-acls", "--user", "agency-ems")) == [
        f"{principal} --operation Read --resource-pattern-type prefixed --group agency.ems.",
        f"{principal} --operation Read --topic agency.ems.incidents",
        f"{principal} --operation Write --topic agency.ems.responses",
        "kafka kafka-configs.sh --alter --entity-type users --entity-name agency-ems --add-config "
        "producer_byte_rate=131072,consumer_byte_rate=2097152,request_percentage=25",
    ]


def test_what_was_given_can_be_taken_away(agreements: Path) -> None:
    given = lines_of(told(agreements, "--format", "kafka-acls"))
    taken = lines_of(told(agreements, "--format", "kafka-acls", "--remove"))
    acls = [line.replace("--remove --force", "--add") for line in taken if "kafka-acls.sh" in line]
    assert acls == [line for line in given if "kafka-acls.sh" in line]
    assert sum("--delete-config" in line for line in taken) == len(load_day().partners)


def test_strimzi_users_are_one_document_each(agreements: Path) -> None:
    result = told(agreements, "--format", "strimzi", "--authentication", "tls", "--cluster", "events")
    found = {user["metadata"]["name"]: user for user in yaml.safe_load_all(result.stdout)}
    assert [*found][:6] == ["intake", "geo", "dispatch", "notify", "operator", "probe"]
    assert {user["spec"]["authentication"]["type"] for user in found.values()} == {"tls"}
    assert {user["metadata"]["labels"]["strimzi.io/cluster"] for user in found.values()} == {"events"}
    assert {name for name, user in found.items() if "quotas" in user["spec"]} == {
        f"agency-{partner.agency}" for partner in load_day().partners
    }


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        (["--format", "kafka-acls", "--user", "agency-nobody"], "there is no user agency-nobody"),
        (["--format", "strimzi", "--remove"], "Strimzi removes"),
        ([], "--format"),
    ],
)
def test_a_mistaken_option_is_explained(agreements: Path, options: list[str], mistake: str) -> None:
    result = told(agreements, *options)
    assert result.exit_code == 2
    assert mistake in result.output


def test_an_agreement_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("id: [")
    result = told(tmp_path, "--format", "strimzi")
    assert result.exit_code == 1
    assert "wrong.yaml" in result.output
