"""The rights that follow from what services declare, from the contract's topics and from the agreements."""

from collections.abc import Sequence

from shared.bus import Service
from shared.bus.admin import wanted
from shared.contracts.topics import ALL, INCIDENTS, agency_incidents, agency_responses, replay_of
from shared.rights.model import Quota, Right, User, topics

OPERATOR, PROBE = "operator", "probe"
AGENCY_QUOTA = Quota(producer_byte_rate=131_072, consumer_byte_rate=2_097_152, request_percentage=25)
"""Of each agency. A month of events, a few hundred megabytes, is read again within minutes."""


def service_user(service: Service, agencies: Sequence[str]) -> User:
    """Return the user of `service`, where `agencies` have agreements: what it declares, and no more."""
    subscriptions = service.subscriptions
    inputs = [name for found in subscriptions for name in found.names]
    dead = [topic.dlq(found.group) for found in subscriptions for topic in found.topics]
    told = [agency_incidents(code) for code in agencies]
    reads = [*inputs, *(topic.name for topic in ALL if service.name in topic.readers)]
    writes = [*dead, *(topic.name for topic in (*ALL, *told) if service.name in topic.writers)]
    groups = sorted(Right("group", found.group, ("Read",)) for found in subscriptions)
    return User(service.name, (*groups, *topics(reads=reads, writes=writes)))


def operator_user(services: Sequence[Service], agencies: Sequence[str]) -> User:
    """Return the user of the `ruamjai` command: it creates topics, publishes agreements, replays."""
    groups = {found.group: found.topics for service in services for found in service.subscriptions}
    inputs = [topic for found in groups.values() for topic in found]
    answering = {topic.name.split(".")[1] for topic in inputs if topic.outsiders}
    every = [topic.name for topic, _ in wanted(groups, sorted({*agencies, *answering}))]
    dead = [topic.dlq(group) for group, found in groups.items() for topic in found]
    reads = [*dead, *(topic.name for topic in ALL if OPERATOR in topic.readers)]
    writes = [*map(replay_of, groups), *(topic.name for topic in ALL if OPERATOR in topic.writers)]
    return User(OPERATOR, tuple(topics(reads=reads, writes=writes, creates=every)))


def probe_user() -> User:
    """Return the user of the synthetic probe: it looks for its own reports, in no group."""
    return User(PROBE, tuple(topics(reads=[INCIDENTS.name])))


def agency_user(code: str) -> User:
    """Return the user of agency `code`: its own two topics, and groups that begin with its own name."""
    own = topics(reads=[agency_incidents(code).name], writes=[agency_responses(code).name])
    groups = Right("group", f"agency.{code}.", ("Read",), prefix=True)
    return User(f"agency-{code}", (groups, *own), AGENCY_QUOTA)
