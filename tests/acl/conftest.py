"""One secure Kafka for all these tests, with the users and rights of the demonstration."""

import secrets
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from deploy.local.choose import started
from deploy.local.demo.day import load_day
from deploy.local.demo.users import users_of
from deploy.local.demo.world import agencies_of, groups_of
from deploy.local.secure import SecureKafka, secure_kafka
from deploy.local.unavailable import Unavailable
from shared.bus.admin import topics
from shared.contracts.topics import agency_incidents, agency_responses
from shared.rights import OPERATOR, User


@pytest.fixture(scope="session")
def table() -> dict[str, User]:
    """Every user of the demonstration, by name."""
    return {user.name: user for user in users_of(load_day())}


@pytest.fixture(scope="session")
def secure(tmp_path_factory: pytest.TempPathFactory, table: dict[str, User]) -> Iterator[SecureKafka]:
    """Running, everybody admitted; of topics there are those of the agencies `rescue` and `ems`."""
    passwords = {name: secrets.token_urlsafe(16) for name in table}
    try:
        kafka = started(secure_kafka(tmp_path_factory.mktemp("secure"), passwords))
    except Unavailable as reason:
        pytest.skip(f"a secure Kafka runs natively only: {reason}")
    with kafka:
        kafka.admit(table.values())
        for code in ("rescue", "ems"):
            kafka.create_topic(agency_incidents(code).name)
            kafka.create_topic(agency_responses(code).name)
        yield kafka


@pytest.fixture(scope="session")
def made(secure: SecureKafka, operator: dict[str, str]) -> SecureKafka:
    """With every topic, created by the operator with the operator's own rights."""
    arguments = ["create", "--replication", "1", "--partitions", "1"]
    for code in agencies_of(load_day()):
        arguments += ["--agency", code]
    for group, inputs in groups_of(load_day()).items():
        arguments += ["--group", f"{group}={','.join(topic.name for topic in inputs)}"]
    done = CliRunner().invoke(topics, arguments, env=operator)
    assert done.exit_code == 0, done.output
    return secure


@pytest.fixture(scope="session")
def operator(secure: SecureKafka) -> dict[str, str]:
    """The operator's environment."""
    return secure.environment(OPERATOR)
