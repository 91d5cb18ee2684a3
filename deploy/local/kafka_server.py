"""What every Kafka offers to tests and tools, whoever started it: its address and administrative calls."""

from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its names are not re-exported explicitly
    AdminClient,
    NewTopic,
)

from deploy.local.access import Access
from deploy.local.wait import poll
from shared.settings import KafkaClientOptions

TIMEOUT = 30.0  # seconds for an administrative change; a broker just started may need most of it
CALL_SECONDS = 3.0


class KafkaServer:
    """A Kafka at `url` ("host:port,…"); `admin` is an administrator's way in when not everybody may enter."""

    def __init__(self, url: str, admin: Access | None = None) -> None:
        self.url = url
        self.admin = admin

    def environment(self, user: str) -> dict[str, str]:
        """The settings with which a process of ours connects; here everybody may enter."""
        del user
        return {"KAFKA_URL": self.url}

    def client(self, user: str) -> KafkaClientOptions:
        """The arguments with which an aiokafka client connects."""
        return KafkaClientOptions(bootstrap_servers=self.url.split(","))

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
        secrets = self.admin.librdkafka() if self.admin else {}
        return AdminClient({"bootstrap.servers": url or self.url, "log_level": 0, **secrets})

    def delete_topic(self, name: str) -> None:
        """Delete a topic and all that is on it."""
        self._administer(lambda admin: admin.delete_topics([name]))

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
