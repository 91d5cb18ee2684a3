"""What an agency can do on a real, secure Kafka: read its own topic, answer on its own, and nothing else."""

from datetime import timedelta

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError, TopicAuthorizationFailedError
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its names are not re-exported explicitly
    AdminClient,
    ConfigResource,
    NewTopic,
)

from deploy.local.access import Access
from deploy.local.quotas import quota_of
from deploy.local.secure import SecureKafka, acls_of, bindings
from shared.rights import Right, User, agency_user
from shared.rights.kafka_acls import limits_of
from tests.acl.clients import read, running, write

pytestmark = pytest.mark.real_kafka

SEEN, ANSWERS = "agency.rescue.incidents", "agency.rescue.responses"
EVERYBODY_ELSE_S = ("agency.ems.incidents", "agency.ems.responses", "incidents", "desks.commands")


@pytest.fixture
def rescue(secure: SecureKafka) -> Access:
    """The way in of the agency `rescue`."""
    return secure.access("agency-rescue")


@pytest.fixture
def admin(rescue: Access) -> AdminClient:
    """What the agency tries with a client of another make, to administer what is not its own."""
    return AdminClient({"bootstrap.servers": rescue.url, "log_level": 0, **rescue.librdkafka()})


async def test_it_reads_what_it_is_told_in_a_group_of_its_own(secure: SecureKafka, rescue: Access) -> None:
    await write(secure.admin, SEEN, b"told")
    assert await read(rescue, SEEN, "agency.rescue.console") == b"told"


async def test_it_answers_on_its_own_topic(rescue: Access) -> None:
    await write(rescue, ANSWERS)


async def test_with_a_certificate_in_place_of_a_password_it_may_do_the_same(secure: SecureKafka) -> None:
    rescue = secure.certified("agency-rescue")
    await write(secure.admin, SEEN, b"told")
    assert await read(rescue, SEEN, "agency.rescue.by-certificate") == b"told"
    with pytest.raises(TopicAuthorizationFailedError):
        await read(rescue, "agency.ems.incidents")


@pytest.mark.parametrize("topic", [*EVERYBODY_ELSE_S, ANSWERS])
async def test_it_reads_no_other_topic(rescue: Access, topic: str) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        await read(rescue, topic)


@pytest.mark.parametrize(
    "group", ["agency.ems.console", "agency.rescue-2.console", "agency.rescue", "notify"]
)
async def test_it_joins_no_group_that_is_not_its_own(rescue: Access, group: str) -> None:
    made = AIOKafkaConsumer(SEEN, **rescue.aiokafka(), group_id=group)
    with pytest.raises(GroupAuthorizationFailedError):
        async with running(made):
            pass


@pytest.mark.parametrize("topic", [*EVERYBODY_ELSE_S, SEEN, "deliveries", "notify.replay"])
async def test_it_writes_nowhere_else(rescue: Access, topic: str) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        await write(rescue, topic)


def test_it_sees_no_topic_and_no_group_but_its_own(admin: AdminClient) -> None:
    assert {*admin.list_topics(timeout=10).topics} == {SEEN, ANSWERS}
    groups = admin.list_consumer_groups().result(10).valid
    assert all(group.group_id.startswith("agency.rescue.") for group in groups)


@pytest.mark.parametrize("name", ["agency.rescue.mine", "mine"])
def test_it_creates_no_topic(admin: AdminClient, name: str) -> None:
    with pytest.raises(KafkaException) as refused:
        admin.create_topics([NewTopic(name, 1, 1)])[name].result(10)
    assert refused.value.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


@pytest.mark.parametrize("topic", ["agency.ems.incidents", SEEN])
def test_it_deletes_no_topic_and_learns_no_settings_of_one(admin: AdminClient, topic: str) -> None:
    with pytest.raises(KafkaException) as refused:
        admin.delete_topics([topic])[topic].result(10)
    assert refused.value.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    asked = ConfigResource(ConfigResource.Type.TOPIC, topic)
    with pytest.raises(KafkaException):
        admin.describe_configs([asked])[asked].result(10)


def test_it_learns_nobody_s_rights_and_gives_itself_none(secure: SecureKafka, admin: AdminClient) -> None:
    assert admin.describe_acls(acls_of()).result(10) == []
    [wanted] = bindings("agency-rescue", [Right("topic", "incidents", ("Read",))])
    with pytest.raises(KafkaException):
        admin.create_acls([wanted])[wanted].result(10)
    assert not [right for right in secure.rights("agency-rescue") if right.name == "incidents"]


def test_the_brokers_hold_exactly_the_rights_of_the_table(
    secure: SecureKafka, table: dict[str, User]
) -> None:
    assert {name: secure.rights(name) for name in table} == {
        name: {*user.rights} for name, user in table.items()
    }


async def test_it_has_its_quota(secure: SecureKafka, table: dict[str, User]) -> None:
    quota = table["agency-rescue"].quota
    assert quota is not None
    assert await quota_of(secure.admin, "agency-rescue") == limits_of(quota)


async def test_a_wrong_password_opens_nothing(secure: SecureKafka, rescue: Access) -> None:
    wrong = Access(rescue.url, rescue.user, rescue.authority, "guessed")
    with pytest.raises(KafkaConnectionError):
        await write(wrong, ANSWERS)


async def test_neither_does_a_certificate_that_has_run_out(secure: SecureKafka) -> None:
    with pytest.raises(KafkaConnectionError):
        await write(secure.certified("agency-rescue", lasts=timedelta(hours=-1)), ANSWERS)


async def test_a_right_that_is_taken_away_ends_an_open_connection_s_reading(secure: SecureKafka) -> None:
    secure.create_topic("agency.gone.incidents")
    secure.add_user("agency-gone", "a password")
    rights = agency_user("gone").rights
    secure.give("agency-gone", rights)
    await write(secure.admin, "agency.gone.incidents", b"told")
    made = AIOKafkaConsumer(
        "agency.gone.incidents", **secure.client("agency-gone"), auto_offset_reset="earliest"
    )
    async with running(made) as reader:
        assert (await reader.getone()).value == b"told"
        secure.take("agency-gone", rights)
        with pytest.raises(TopicAuthorizationFailedError):
            await reader.getone()
    secure.remove_user("agency-gone")
    with pytest.raises(KafkaConnectionError):
        await read(secure.access("agency-gone"), "agency.gone.incidents")
