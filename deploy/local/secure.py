"""Apache Kafka on this machine as a real installation runs it: TLS, log-in, and nothing without a right."""

import asyncio
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its names are not re-exported explicitly
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from deploy.local.access import Access
from deploy.local.certificates import LASTS, Authority
from deploy.local.cluster import KafkaCluster
from deploy.local.kafka import nodes_in, process_of
from deploy.local.kafka_properties import ADMIN, Security
from deploy.local.kafka_server import TIMEOUT
from deploy.local.native import kafka_libs
from deploy.local.process import Process
from deploy.local.quotas import set_quota
from shared.rights import Quota, Right, User
from shared.settings import KafkaClientOptions

SCRAM_ITERATIONS = 4096


class SecureKafka(KafkaCluster):
    """Brokers that know everybody by a password or a certificate. Whoever has no right may do nothing."""

    def __init__(
        self,
        processes: Sequence[Process],
        ports: Sequence[int],
        mutual_ports: Sequence[int],
        authority: Authority,
        passwords: Mapping[str, str],
    ) -> None:
        """Nothing starts here. `passwords` (name → password) has the administrator's too."""
        self.authority = authority
        self._passwords = dict(passwords)
        self._new = [name for name in passwords if name != ADMIN]
        self._mutual_url = ",".join(f"127.0.0.1:{port}" for port in mutual_ports)
        super().__init__(processes, ports)
        self.admin: Access = self.access(ADMIN)

    def start(self, broker: int | None = None) -> None:
        """Start one broker, or all that are down, and the first time make the users."""
        super().start(broker)
        while self._new:
            name = self._new.pop()
            self.add_user(name, self._passwords[name])

    @property
    def users(self) -> list[str]:
        """The names of all who have a password, the administrator's too."""
        return sorted(self._passwords)

    def access(self, user: str) -> Access:
        """The way in of a user with a password."""
        return Access(self.url, user, self.authority.certificate, self._passwords[user])

    def certified(self, user: str, lasts: timedelta = LASTS) -> Access:
        """The way in of the same user with a new certificate."""
        made = self.authority.issue(user, lasts=lasts)
        return Access(self._mutual_url, user, self.authority.certificate, certificate=made)

    def add_user(self, name: str, password: str) -> None:
        """Make a user, or change its password. It may do nothing until `give` says so."""
        self._passwords[name] = password
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, SCRAM_ITERATIONS)
        change = UserScramCredentialUpsertion(name, scram, password.encode())
        self._administer(lambda admin: admin.alter_user_scram_credentials([change]))

    def remove_user(self, name: str) -> None:
        """Let nobody log in by that name any more; who is in stays in, with the rights that are left."""
        change = UserScramCredentialDeletion(name, ScramMechanism.SCRAM_SHA_512)
        self._administer(lambda admin: admin.alter_user_scram_credentials([change]))

    def give(self, user: str, rights: Iterable[Right]) -> None:
        """Give rights to a user, in effect when this returns or a moment later."""
        wanted = bindings(user, rights)
        self._administer(lambda admin: admin.create_acls(wanted))

    def take(self, user: str, rights: Iterable[Right]) -> None:
        """Take rights from a user, also from its open connections."""
        filters = [AclBindingFilter(*words) for right in rights for words in _words(user, right)]
        self._administer(lambda admin: admin.delete_acls(filters))

    def rights(self, user: str) -> set[Right]:
        """Return the rights that the brokers hold for a user."""
        found: dict[tuple[Any, ...], list[Any]] = {}
        admin = self._admin()  # kept until it has answered
        for one in admin.describe_acls(acls_of(f"User:{user}")).result(TIMEOUT):
            prefixed = one.resource_pattern_type == ResourcePatternType.PREFIXED
            key = one.restype.name.lower(), one.name, prefixed
            found.setdefault(key, []).append(one.operation.name.capitalize())
        return {
            Right(kind, name, tuple(sorted(does)), prefix) for (kind, name, prefix), does in found.items()
        }

    def limit(self, user: str, quota: Quota) -> None:
        """Let a user have no more than `quota` of each broker."""
        with ThreadPoolExecutor(1) as thread:  # whoever calls may have an event loop of its own
            thread.submit(asyncio.run, set_quota(self.admin, user, quota)).result()

    def admit(self, users: Iterable[User]) -> None:
        """Give users all the rights they have, and their quotas."""
        for user in users:
            self.give(user.name, user.rights)
            if user.quota is not None:
                self.limit(user.name, user.quota)

    def environment(self, user: str) -> dict[str, str]:
        """The settings with which a process of ours gets in as `user`."""
        return self.access(user).environment()

    def client(self, user: str) -> KafkaClientOptions:
        """The arguments with which an aiokafka client gets in as `user`."""
        return self.access(user).aiokafka()


def secure_kafka(
    data: Path, users: Mapping[str, str], brokers: int = 1, port: int | None = None
) -> SecureKafka:
    """A cluster with `users` (name → password) that keeps everything in `data`.

    `port` is the first broker's; the others follow. Raises Unavailable.
    """
    libs = kafka_libs()
    data.mkdir(parents=True, exist_ok=True)
    authority, password = Authority(data / "tls"), _admin_password(data / "admin-password")
    nodes = nodes_in(data, brokers, port, mutual=True)
    processes = []
    for node in nodes:
        keystore = data / "tls" / f"broker-{node.number}.pem"
        keystore.touch(mode=0o600)
        keystore.write_text(authority.issue(f"broker-{node.number}").together())
        processes.append(
            process_of(libs, node, nodes, Security(password, str(keystore), str(authority.certificate)))
        )
    ports, mutual = [node.port for node in nodes], [node.mutual_port for node in nodes]
    return SecureKafka(processes, ports, [p for p in mutual if p], authority, {**users, ADMIN: password})


def bindings(user: str, rights: Iterable[Right]) -> list[AclBinding]:
    """Return rights as the administration client has them: one binding per operation."""
    return [AclBinding(*words) for right in rights for words in _words(user, right)]


def acls_of(principal: str | None = None) -> AclBindingFilter:
    """Return the filter that finds all rights of somebody, or of everybody."""
    return AclBindingFilter(
        ResourceType.ANY,
        None,  # type: ignore[arg-type]  # any name; the annotations do not know it
        ResourcePatternType.ANY,
        principal,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        AclOperation.ANY,
        AclPermissionType.ANY,
    )


def _words(user: str, right: Right) -> Iterator[tuple[Any, ...]]:
    kind = ResourceType.TOPIC if right.kind == "topic" else ResourceType.GROUP
    pattern = ResourcePatternType.PREFIXED if right.prefix else ResourcePatternType.LITERAL
    for operation in right.operations:
        what = AclOperation[operation.upper()]
        yield kind, right.name, pattern, f"User:{user}", "*", what, AclPermissionType.ALLOW


def _admin_password(file: Path) -> str:
    """Made once per data directory, since the formatted log knows it."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(16))
    return file.read_text()
