"""The table of topics keeps the promises that partitions, lanes and partners depend on."""

from datetime import timedelta

import pytest

from shared.contracts import AgencyHeartbeat, EventData, topics
from shared.contracts.event import REGISTRY
from shared.contracts.incident import IncidentEvent
from shared.contracts.kafka import dump
from shared.contracts.schemas import TOPICS, model_of, published_types
from shared.contracts.topics import Topic
from shared.contracts.values import Priority
from tests.contracts.examples import AGENCY, DESK, EXAMPLES, INCIDENT, NOW, REPORT, UNIT

EXAMPLE = {data.type: data for data in EXAMPLES}
PAIRS = [(topic, name) for topic in TOPICS for name in topic.types]


def test_a_desks_three_inputs_have_the_same_partition_count() -> None:
    assert len(topics.DESK_INPUTS) == 3
    assert {(topic.key, topic.partitions) for topic in topics.DESK_INPUTS} == {("desk", 12)}


def test_the_urgent_lanes_and_the_commands_come_first() -> None:
    urgent = {topic.name for topic in TOPICS if topic.urgent}
    assert urgent == {"reports.received.urgent", "reports.located.urgent", "desks.commands"}


@pytest.mark.parametrize("priority", list(Priority))
def test_what_is_told_of_the_most_urgent_incidents_may_overtake_whatever_it_is_about(
    priority: Priority,
) -> None:
    mark = topics.INCIDENTS.overtaking
    assert mark is not None
    told = [data for data in EXAMPLES if isinstance(data, IncidentEvent)]
    for data in told:
        view = data.view.model_copy(update={"priority": priority, "text": 'not "priority":"P1"'})
        assert (mark in dump(data.model_copy(update={"view": view}))) is (priority is Priority.P1)
    assert told


def test_both_lanes_carry_the_same() -> None:
    assert topics.REPORTS_RECEIVED.types == topics.REPORTS_RECEIVED_URGENT.types
    assert topics.REPORTS_LOCATED.types == topics.REPORTS_LOCATED_URGENT.types


def test_only_agency_responses_are_written_from_outside() -> None:
    assert [topic.name for topic in TOPICS if topic.outsiders] == ["agency.{code}.responses"]
    assert [topic.name for topic in TOPICS if "agency" in topic.writers] == ["agency.{code}.responses"]


def test_every_topic_is_kept_as_long_as_promised() -> None:
    kept = {topic.name: topic.kept for topic in TOPICS}
    assert kept.pop("agreements") is None
    assert kept.pop("incidents") == kept.pop("deliveries") == timedelta(days=90)
    assert kept.pop("agency.{code}.incidents") == timedelta(days=30)
    assert set(kept.values()) == {timedelta(days=7)}


@pytest.mark.parametrize(("topic", "name"), PAIRS, ids=lambda part: str(part))
def test_the_key_is_a_field_of_every_body_or_its_subject(topic: Topic, name: str) -> None:
    data = EXAMPLE[name]
    if isinstance(data, AgencyHeartbeat):
        assert topic.key_of(data) == data.agency
    else:
        assert topic.key_of(data) == getattr(data, topic.key)


def test_a_unit_that_is_on_no_incident_goes_by_its_own_id() -> None:
    busy = EXAMPLE["th.ruamjai.unit.status_changed.v1"]
    assert topics.INCIDENTS.key_of(busy) == INCIDENT
    assert topics.INCIDENTS.key_of(busy.model_copy(update={"incident_id": None})) == UNIT


def test_report_keys_are_report_then_desk() -> None:
    assert topics.REPORTS_RECEIVED.key_of(EXAMPLE["th.ruamjai.report.received.v1"]) == REPORT
    assert topics.REPORTS_LOCATED.key_of(EXAMPLE["th.ruamjai.report.located.v1"]) == DESK


def test_an_agencys_topics_are_named_after_it() -> None:
    assert topics.agency_incidents(AGENCY).name == "agency.phetchabun-rescue.incidents"
    assert topics.agency_responses(AGENCY).name == "agency.phetchabun-rescue.responses"
    assert topics.agency_incidents(AGENCY).partitions == 1


@pytest.mark.parametrize("code", ["", "a.b", "A", "a b", "{code}", "-a", "a\n", "a" * 33, "../x"])
def test_a_malformed_agency_code_names_no_topic(code: str) -> None:
    with pytest.raises(ValueError, match="agency code"):
        topics.agency_incidents(code)


def test_a_dead_letter_topic_belongs_to_one_group() -> None:
    assert topics.INCIDENTS.dlq("notify") == "incidents.notify.dlq"
    assert topics.replay_of("notify") == "notify.replay"
    assert str(topics.INCIDENTS) == "incidents"


def test_every_event_type_of_the_contract_is_on_a_topic() -> None:
    ours = [model.type for model in REGISTRY.all() if model.__module__.startswith("shared.contracts.")]
    assert ours == published_types()


def test_every_topic_is_named_once() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(names) == len(set(names))


def test_a_type_nobody_published_has_no_model() -> None:
    with pytest.raises(KeyError):
        model_of("th.ruamjai.nothing.happened.v1")


def test_a_type_cannot_be_claimed_twice() -> None:
    taken = {"type": "th.ruamjai.report.received.v1", "subject_field": "status", "__module__": __name__}
    with pytest.raises(ValueError, match="taken or malformed"):
        type("Impostor", (EventData,), taken)
    assert REGISTRY.get("th.ruamjai.report.received.v1") is type(EXAMPLE["th.ruamjai.report.received.v1"])
    assert NOW.tzinfo is not None
