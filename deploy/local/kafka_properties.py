"""The settings of one node of a local KRaft cluster: every node is broker and controller at once."""

from collections.abc import Mapping
from dataclasses import dataclass

ADMIN = "admin"


@dataclass(frozen=True)
class Node:
    """Where one node (`number` from 1) listens and keeps its log."""

    number: int
    port: int
    controller_port: int
    log_dir: str
    bind: str = "127.0.0.1"


def server_properties(node: Node, nodes: list[Node], admin_password: str | None = None) -> dict[str, str]:
    """All settings; with an admin password, clients must log in and may do nothing without an ACL."""
    security = _secure(admin_password) if admin_password else _open()
    settings = {**_identity(node, nodes), **_for_tests(len(nodes)), **security}
    return {name: str(value) for name, value in settings.items()}


def _identity(node: Node, nodes: list[Node]) -> Mapping[str, object]:
    return {
        "node.id": node.number,
        "process.roles": "broker,controller",
        "controller.quorum.voters": ",".join(f"{n.number}@127.0.0.1:{n.controller_port}" for n in nodes),
        "listeners": f"CLIENT://{node.bind}:{node.port},CONTROLLER://127.0.0.1:{node.controller_port}",
        "advertised.listeners": f"CLIENT://127.0.0.1:{node.port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "CLIENT",
        "log.dirs": node.log_dir,
    }


def _for_tests(brokers: int) -> Mapping[str, object]:
    """Internal topics that fit the cluster, and faults noticed within seconds."""
    copies, in_sync = min(3, brokers), 2 if brokers >= 3 else 1
    internal = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
    return {
        **{f"{topic}.replication.factor": copies for topic in internal},
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.min.isr": in_sync,
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        # 50 and 50 partitions by default, which a broker of a few hundred MB creates and elects for seconds
        "offsets.topic.num.partitions": 8,
        "transaction.state.log.num.partitions": 8,
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": 0,
        # A killed broker may register again only when its last session has expired. Three brokers that start
        # on few cores starve each other for seconds, which must not count as dead.
        "broker.session.timeout.ms": 2000 if brokers == 1 else 4000,
        "broker.heartbeat.interval.ms": 500,
    }


def _open() -> Mapping[str, object]:
    return {"listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT"}


def _secure(admin_password: str) -> Mapping[str, object]:
    """SCRAM for clients and brokers; PLAIN for controllers, which start before SCRAM users can be read."""
    login = f'username="{ADMIN}" password="{admin_password}"'
    scram = f"org.apache.kafka.common.security.scram.ScramLoginModule required {login};"
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule required "
    return {
        "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-256",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-256",
        "listener.name.client.scram-sha-256.sasl.jaas.config": scram,
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": f'{plain}{login} user_{ADMIN}="{admin_password}";',
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN}",
        "allow.everyone.if.no.acl.found": "false",
    }
