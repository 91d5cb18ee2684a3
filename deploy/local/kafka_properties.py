"""The settings of one node of a local KRaft cluster: every node is broker and controller at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ADMIN = "admin"
SCRAM = "SCRAM-SHA-512"


@dataclass(frozen=True)
class Node:
    """Where one node (`number` from 1) listens and keeps its log."""

    number: int
    port: int
    controller_port: int
    log_dir: str
    bind: str = "127.0.0.1"
    mutual_port: int | None = None
    """Where clients that prove who they are by a certificate come in, if any do."""


@dataclass(frozen=True)
class Security:
    """The administrator's password, and PEM files: certificate with key, and the authorities we trust."""

    password: str = field(repr=False)
    keystore: str
    truststore: str


def server_properties(node: Node, nodes: list[Node], security: Security | None = None) -> dict[str, str]:
    """All settings; with security, clients must say who they are and may do nothing without an ACL."""
    secure = _secure(security) if security else _open()
    settings = {**_identity(node, nodes), **_for_tests(len(nodes)), **secure}
    return {name: str(value) for name, value in settings.items()}


def _identity(node: Node, nodes: list[Node]) -> Mapping[str, object]:
    return {
        "node.id": node.number,
        "process.roles": "broker,controller",
        "controller.quorum.voters": ",".join(f"{n.number}@127.0.0.1:{n.controller_port}" for n in nodes),
        "listeners": f"{_clients(node, node.bind)},CONTROLLER://127.0.0.1:{node.controller_port}",
        "advertised.listeners": _clients(node, "127.0.0.1"),
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "CLIENT",
        "log.dirs": node.log_dir,
    }


def _clients(node: Node, host: str) -> str:
    mutual = f",MUTUAL://{host}:{node.mutual_port}" if node.mutual_port else ""
    return f"CLIENT://{host}:{node.port}{mutual}"


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


def _secure(security: Security) -> Mapping[str, object]:
    """TLS for everybody; SCRAM for clients and brokers, or a certificate on a port of its own.

    Controllers log in with PLAIN: they start before SCRAM users can be read.
    """
    login = f'username="{ADMIN}" password="{security.password}"'
    scram = f"org.apache.kafka.common.security.scram.ScramLoginModule required {login};"
    plain = f"org.apache.kafka.common.security.plain.PlainLoginModule required {login}"
    return {
        "listener.security.protocol.map": "CLIENT:SASL_SSL,MUTUAL:SSL,CONTROLLER:SASL_SSL",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": security.keystore,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": security.truststore,
        "listener.name.mutual.ssl.client.auth": "required",
        # So that a user has the same name, and the same rights, however it comes in.
        "listener.name.mutual.ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/",
        "sasl.mechanism.inter.broker.protocol": SCRAM,
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.client.sasl.enabled.mechanisms": SCRAM,
        f"listener.name.client.{SCRAM.lower()}.sasl.jaas.config": scram,
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": f'{plain} user_{ADMIN}="{security.password}";',
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN}",
        "allow.everyone.if.no.acl.found": "false",
    }
