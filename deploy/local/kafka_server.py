"""What every Kafka offers to tests and tools, whoever started it: its address and administrative calls."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its names are not re-exported explicitly
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from deploy.local.wait import poll

TIMEOUT = 30.0  # seconds for an administrative change; a broker just started may need most of it
CALL_SECONDS = 3.0
SCRAM_ITERATIONS = 4096


class KafkaServer:
    """A Kafka at `url` ("host:port,…"); `login` is (user, password) when it wants SASL."""

    def __init__(self, url: str, login: tuple[str, str] | None = None) -> None:
        self.url = url
        self.login = login

    def create_topic(
        self, name: str, partitions: int = 1, replication: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        """Create a topic unless it exists, and wait until every live broker knows its leaders."""
        topic = NewTopic(name, partitions, replication, config=dict(config or {}))
        self._administer(lambda admin: admin.create_topics([topic]), KafkaError.TOPIC_ALREADY_EXISTS)
        poll(lambda: self._known_everywhere(name, partitions), TIMEOUT, f"leaders for {name}")

    def leader_of(self, topic: str, partition: int = 0) -> int:
        """The index (from 0) of the broker that leads the partition; LookupError when none does."""
        leader = self.leaders(topic).get(partition, -1)
        if leader < 0:
            raise LookupError(f"{topic}/{partition} has no leader")
        return leader

    def leaders(self, topic: str, url: str | None = None) -> dict[int, int]:
        """Broker index by partition, as the broker at `url` sees it; -1 where there is no leader."""
        metadata = self._admin(url).list_topics(topic, timeout=CALL_SECONDS).topics[topic]
        return {number: max(-1, one.leader - 1) for number, one in metadata.partitions.items()}

    def add_user(self, name: str, password: str) -> None:
        """Create or change a SCRAM-SHA-256 user, who may do nothing until `allow` says so."""
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, SCRAM_ITERATIONS)
        change = UserScramCredentialUpsertion(name, scram, password.encode())
        self._administer(lambda admin: admin.alter_user_scram_credentials([change]))

    def allow(
        self, user: str, operations: Sequence[str], *, topic: str = "", group: str = "", prefix: bool = False
    ) -> None:
        """Allow `operations` ("READ", "WRITE", …) on a topic or a group, or with `prefix` on all so named."""
        resource = (ResourceType.TOPIC, topic) if topic else (ResourceType.GROUP, group)
        pattern = ResourcePatternType.PREFIXED if prefix else ResourcePatternType.LITERAL
        bindings = [
            AclBinding(*resource, pattern, f"User:{user}", "*", AclOperation[one], AclPermissionType.ALLOW)
            for one in operations
        ]
        self._administer(lambda admin: admin.create_acls(bindings))

    def brokers(self, url: str | None = None) -> set[int]:
        """Indexes of the brokers that the one at `url` knows to be alive; empty when it does not answer."""
        try:
            return {number - 1 for number in self._admin(url).list_topics(timeout=CALL_SECONDS).brokers}
        except KafkaException:
            return set()

    def _known_everywhere(self, topic: str, partitions: int) -> bool:
        try:
            alive = self._admin().list_topics(timeout=CALL_SECONDS).brokers.values()
            views = [self.leaders(topic, f"{broker.host}:{broker.port}") for broker in alive]
        except KafkaException:  # a broker that died a moment ago is still listed
            return False
        return all(len(leaders) >= partitions and min(leaders.values()) >= 0 for leaders in views)

    def _admin(self, url: str | None = None) -> AdminClient:
        # One client per call: a lasting one would go on dialling a broker that a test has killed, and log it.
        return AdminClient({"bootstrap.servers": url or self.url, "log_level": 0, **_login(self.login)})

    def _administer(
        self, call: Callable[[AdminClient], Mapping[Any, Any]], tolerated: int | None = None
    ) -> None:
        admin = self._admin()
        for outcome in call(admin).values():
            try:
                outcome.result(TIMEOUT)
            except KafkaException as error:
                if error.args[0].code() != tolerated:
                    raise


def _login(login: tuple[str, str] | None) -> dict[str, str]:
    """The security settings of a librdkafka client for (user, password), or none."""
    if login is None:
        return {}
    return {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-256",
        "sasl.username": login[0],
        "sasl.password": login[1],
    }
