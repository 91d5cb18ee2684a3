"""The table as a shell script of Kafka's own tools, for a Kafka that no operator looks after."""

import shlex
from collections.abc import Iterable, Iterator

from shared.rights.model import Kind, Operation, Quota, Right, User

HEAD = """\
# Made by `ruamjai rights`. KAFKA_URL names the brokers, ADMIN_CONFIG a properties file of an administrator.
set -eu
kafka() { tool=$1; shift; "$tool" --bootstrap-server "$KAFKA_URL" --command-config "$ADMIN_CONFIG" "$@"; }
"""


def script(users: Iterable[User], *, remove: bool = False) -> str:
    """Return the script that gives the users their rights and quotas, or with `remove` takes them away."""
    return HEAD + "".join(f"{shlex.join(words)}\n" for user in users for words in _commands(user, remove))


def _commands(user: User, remove: bool) -> Iterator[list[str]]:
    change = ["--remove", "--force"] if remove else ["--add"]
    for (kind, operations, prefix), names in _alike(user.rights).items():
        words = ["kafka", "kafka-acls.sh", *change, "--allow-principal", f"User:{user.name}"]
        words += [word for operation in operations for word in ("--operation", operation)]
        words += ["--resource-pattern-type", "prefixed"] if prefix else []
        yield words + [word for name in names for word in (f"--{kind}", name)]
    if user.quota is not None:
        yield _quota(user.name, user.quota, remove)


def _alike(rights: Iterable[Right]) -> dict[tuple[Kind, tuple[Operation, ...], bool], list[str]]:
    """Return the names by what one command can say of all of them."""
    found: dict[tuple[Kind, tuple[Operation, ...], bool], list[str]] = {}
    for right in rights:
        found.setdefault((right.kind, right.operations, right.prefix), []).append(right.name)
    return found


def _quota(name: str, quota: Quota, remove: bool) -> list[str]:
    limits = limits_of(quota)
    given = ",".join(f"{limit}={figure}" for limit, figure in limits.items())
    change = ["--delete-config", ",".join(limits)] if remove else ["--add-config", given]
    return ["kafka", "kafka-configs.sh", "--alter", "--entity-type", "users", "--entity-name", name, *change]


def limits_of(quota: Quota) -> dict[str, int]:
    """Return a quota under the names that Kafka has for it."""
    return {
        "producer_byte_rate": quota.producer_byte_rate,
        "consumer_byte_rate": quota.consumer_byte_rate,
        "request_percentage": quota.request_percentage,
    }
