"""The table as Strimzi's KafkaUsers, of which its User Operator makes users with credentials and rights."""

from collections.abc import Iterable
from typing import Any

import yaml

from shared.rights.model import Right, User

HEAD = "# Made by `ruamjai rights`, do not edit: the rights follow from the services and the agreements.\n"


def manifests(users: Iterable[User], cluster: str, authentication: str) -> str:
    """Return one YAML document per user. `authentication` is Strimzi's word: scram-sha-512 or tls."""
    documents = [_user(user, cluster, authentication) for user in users]
    return HEAD + yaml.safe_dump_all(documents, sort_keys=False, width=110)


def _user(user: User, cluster: str, authentication: str) -> dict[str, Any]:
    acls = [_acl(right) for right in user.rights]
    spec: dict[str, Any] = {
        "authentication": {"type": authentication},
        "authorization": {"type": "simple", "acls": acls},
    }
    if user.quota is not None:
        spec["quotas"] = {
            "producerByteRate": user.quota.producer_byte_rate,
            "consumerByteRate": user.quota.consumer_byte_rate,
            "requestPercentage": user.quota.request_percentage,
        }
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaUser",
        "metadata": {"name": user.name, "labels": {"strimzi.io/cluster": cluster}},
        "spec": spec,
    }


def _acl(right: Right) -> dict[str, Any]:
    pattern = "prefix" if right.prefix else "literal"
    resource = {"type": right.kind, "name": right.name, "patternType": pattern}
    return {"resource": resource, "operations": list(right.operations)}
