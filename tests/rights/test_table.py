"""The table of rights: what follows from the declarations, for each user exactly its own."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from deploy.local.demo.day import load_day
from deploy.local.demo.users import SCRAM, users_of
from services.declared import declared
from services.rights import CLUSTER
from shared.bus import Emit, Service
from shared.contracts import Event, IncidentOpened
from shared.contracts.topics import ALL, INCIDENTS
from shared.rights import User, agency_user, service_user
from shared.rights.strimzi import manifests

ROOT = Path(__file__).parents[2]
USERS = {user.name: user for user in users_of(load_day())}
SERVICES = ("intake", "geo", "dispatch", "notify")


def may(user: User, operation: str, kind: str = "topic") -> set[str]:
    """The names, ending in * where they are prefixes, on which a user may do something."""
    found = [right for right in user.rights if right.kind == kind and operation in right.operations]
    return {right.name + "*" * right.prefix for right in found}


def test_the_committed_users_are_those_that_follow_from_the_declarations() -> None:
    committed = (ROOT / "deploy/k8s/components/kafka-users/users.yaml").read_text(encoding="utf-8")
    assert committed == manifests(USERS.values(), CLUSTER, SCRAM), "run `make docs` and commit what it writes"


def test_a_new_subscription_brings_its_rights_by_itself() -> None:
    service = Service("counter")

    @service.on_batch(INCIDENTS, group="counting")
    def count(events: Sequence[Event[IncidentOpened]]) -> Sequence[Iterable[Emit]]:
        return [()] * len(events)

    user = service_user(service, [])
    assert may(user, "Read") == {"incidents", "counting.replay"}
    assert may(user, "Write") == {"incidents.counting.dlq"}
    assert may(user, "Read", "group") == {"counting"}


def test_a_service_reads_only_what_it_subscribes_to_or_the_contract_says_it_reads() -> None:
    for service in declared():
        read = may(USERS[service.name], "Read")
        declares = {name for found in service.subscriptions for name in found.names}
        contract = {topic.name for topic in ALL if service.name in topic.readers}
        hooked = {name for name in read if "webhooks" in name} | {"agency.ems.incidents"}
        assert declares <= read
        assert read <= declares | contract | hooked


def test_every_topic_of_the_contract_is_written_by_those_whom_it_names_and_nobody_else() -> None:
    for topic in ALL:
        assert {name for name, user in USERS.items() if topic.name in may(user, "Write")} == {*topic.writers}


def test_an_agency_reads_and_writes_its_own_two_topics_and_nothing_else() -> None:
    user = USERS["agency-rescue"]
    assert may(user, "Read") == {"agency.rescue.incidents"}
    assert may(user, "Write") == {"agency.rescue.responses"}
    assert may(user, "Read", "group") == {"agency.rescue.*"}
    assert user.quota is not None


def test_the_groups_of_an_agency_are_not_those_of_one_whose_code_begins_alike() -> None:
    [group] = [right for right in agency_user("pao").rights if right.kind == "group"]
    assert not "agency.pao-67.console".startswith(group.name)


def test_nobody_but_the_operator_may_create_topics() -> None:
    assert {name for name, user in USERS.items() if may(user, "Create")} == {"operator"}


def test_the_operator_may_replay_every_dead_letter_and_read_no_report() -> None:
    operator = USERS["operator"]
    dead = {name for n in SERVICES for name in may(USERS[n], "Write") if name.endswith(".dlq")}
    replays = {name for n in SERVICES for name in may(USERS[n], "Read") if name.endswith(".replay")}
    assert dead <= may(operator, "Read")
    assert replays <= may(operator, "Write")
    assert not {name for name in may(operator, "Read") if name.startswith("reports.") and ".dlq" not in name}


def test_no_right_is_a_prefix_over_somebody_else_s_topics() -> None:
    rights = [right for user in USERS.values() for right in user.rights if right.kind == "topic"]
    assert not [right for right in rights if right.prefix]


@pytest.mark.parametrize("name", USERS)
def test_a_resource_is_named_once_per_user(name: str) -> None:
    counts = Counter((right.kind, right.name, right.prefix) for right in USERS[name].rights)
    assert {*counts.values()} == {1}
