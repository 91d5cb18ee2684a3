"""Each service as its own user: with the rights of the table it works, with one of them less it says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from click.testing import CliRunner

from deploy.local.secure import SecureKafka
from services.declared import declared
from shared.bus import Service
from shared.bus.dlq import dlq
from shared.bus.runtime import Runtime
from shared.contracts.topics import (
    REPORTS_LOCATED,
    REPORTS_LOCATED_URGENT,
    REPORTS_RECEIVED,
    REPORTS_RECEIVED_URGENT,
)
from shared.rights import Operation, Right
from tests.acl.clients import send
from tests.acl.working import at_work, everything
from tests.bus.support import record_of, report, until
from tests.intake.live import new_door

BROKEN = b"no event at all"


@pytest.fixture
def services() -> dict[str, Service]:
    """All of them, as declared; each can run once."""
    return {service.name: service for service in declared()}


@contextmanager
def without(kafka: SecureKafka, user: str, kind: str, name: str, operation: Operation) -> Iterator[None]:
    """Take one right away for a while."""
    taken = [Right(kind, name, (operation,))]  # type: ignore[arg-type]
    kafka.take(user, taken)
    try:
        yield
    finally:
        kafka.give(user, taken)


MISSING: list[tuple[str, str, str, Operation]] = [
    ("geo", "group", "geo", "Read"),
    ("geo", "topic", "reports.received", "Read"),
    ("geo", "topic", "reports.received.geo.dlq", "Write"),
    ("geo", "topic", "reports.located", "Write"),
    ("dispatch", "group", "dispatch-gateway", "Read"),
    ("intake", "topic", "reports.received", "Write"),
    ("notify", "topic", "incidents", "Read"),
    ("notify", "topic", "agreements", "Read"),
]


@pytest.mark.parametrize(("user", "kind", "name", "operation"), MISSING)
async def test_a_service_with_one_right_less_says_that_it_is_refused(
    made: SecureKafka,
    services: dict[str, Service],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    user: str,
    kind: str,
    name: str,
    operation: Operation,
) -> None:
    door = new_door()
    await send(made.access("intake"), record_of(REPORTS_RECEIVED, report(4, category="theft")))
    with without(made, user, kind, name, operation):
        async with at_work(made.access(user), services[user], tmp_path, door) as runtime:
            if user == "intake":
                await door.opens()
                assert (await door.post()).status_code == 202
            await until(lambda: says_so(runtime, caplog), "it is told", 40)


def says_so(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> bool:
    """Whether the service has ended with a reason, has counted a refusal, or has logged one."""
    logged = [str(vars(record).get("error")) for record in caplog.records]
    return bool(
        runtime.failure or refusals(runtime) or [one for one in logged if "AuthorizationFailed" in one]
    )


def refusals(runtime: Runtime) -> float:
    """How often Kafka has refused what the service asked for."""
    reason = {"reason": "not_authorized"}
    names = ("ruamjai_retried_total", "ruamjai_producer_recreated_total")
    return sum(runtime.registry.get_sample_value(name, reason) or 0.0 for name in names)


async def test_geo_locates_and_sets_poison_aside_and_the_operator_replays_it(
    made: SecureKafka, services: dict[str, Service], operator: dict[str, str], tmp_path: Path
) -> None:
    urgent = report(1, category="medical_emergency", priority="P1")
    ordinary = record_of(REPORTS_RECEIVED, report(2, category="theft"))
    poison = replace(record_of(REPORTS_RECEIVED, report(3)), value=BROKEN)
    await send(made.access("intake"), record_of(REPORTS_RECEIVED_URGENT, urgent), ordinary, poison)
    async with at_work(made.access("geo"), services["geo"], tmp_path, new_door()) as runtime:
        for topic in (REPORTS_LOCATED, REPORTS_LOCATED_URGENT):
            await until(lambda topic=topic: everything(made, topic.name), f"{topic} has a report")  # type: ignore[misc]
        [dead] = await until(lambda: everything(made, REPORTS_RECEIVED.dlq("geo")), "a dead letter")
        assert dead.value == BROKEN
        assert not refusals(runtime)
    listed = CliRunner().invoke(dlq, ["list"], env=operator)
    assert REPORTS_RECEIVED.dlq("geo") in listed.output, listed.output
    again = CliRunner().invoke(dlq, ["replay", REPORTS_RECEIVED.dlq("geo"), "--all"], env=operator)
    assert "-> geo.replay" in again.output, again.output


MISSING: list[tuple[str, str, str, Operation]] = [
    ("geo", "group", "geo", "Read"),
    ("geo", "topic", "reports.received", "Read"),
    ("geo", "topic", "reports.received.geo.dlq", "Write"),
    ("geo", "topic", "reports.located", "Write"),
    ("dispatch", "group", "dispatch-gateway", "Read"),
    ("intake", "topic", "reports.received", "Write"),
    ("notify", "topic", "incidents", "Read"),
    ("notify", "topic", "agreements", "Read"),
]


@pytest.mark.parametrize(("user", "kind", "name", "operation"), MISSING)
async def test_a_service_with_one_right_less_says_that_it_is_refused(
    made: SecureKafka,
    services: dict[str, Service],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    user: str,
    kind: str,
    name: str,
    operation: Operation,
) -> None:
    door = new_door()
    await send(made.access("intake"), record_of(REPORTS_RECEIVED, report(4, category="theft")))
    with without(made, user, kind, name, operation):
        async with at_work(made.access(user), services[user], tmp_path, door) as runtime:
            if user == "intake":
                await door.opens()
                assert (await door.post()).status_code == 202
            await until(lambda: says_so(runtime, caplog), "it is told", 40)


def says_so(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> bool:
    """Whether the service has ended with a reason, has counted a refusal, or has logged one."""
    logged = [str(vars(record).get("error")) for record in caplog.records]
    return bool(
        runtime.failure or refusals(runtime) or [one for one in logged if "AuthorizationFailed" in one]
    )


def refusals(runtime: Runtime) -> float:
    """How often Kafka has refused what the service asked for."""
    reason = {"reason": "not_authorized"}
    names = ("ruamjai_retried_total", "ruamjai_producer_recreated_total")
    return sum(runtime.registry.get_sample_value(name, reason) or 0.0 for name in names)


async def test_geo_locates_and_sets_poison_aside_and_the_operator_replays_it(
    made: SecureKafka, services: dict[str, Service], operator: dict[str, str], tmp_path: Path
) -> None:
    urgent = report(1, category="medical_emergency", priority="P1")
    ordinary = record_of(REPORTS_RECEIVED, report(2, category="theft"))
    poison = replace(record_of(REPORTS_RECEIVED, report(3)), value=BROKEN)
    await send(made.access("intake"), record_of(REPORTS_RECEIVED_URGENT, urgent), ordinary, poison)
    async with at_work(made.access("geo"), services["geo"], tmp_path, new_door()) as runtime:
        for topic in (REPORTS_LOCATED, REPORTS_LOCATED_URGENT):
            await until(lambda topic=topic: everything(made, topic.name), f"{topic} has a report")  # type: ignore[misc]
        [dead] = await until(lambda: everything(made, REPORTS_RECEIVED.dlq("geo")), "a dead letter")
        assert dead.value == BROKEN
        assert not refusals(runtime)
    listed = CliRunner().invoke(dlq, ["list"], env=operator)
    assert REPORTS_RECEIVED.dlq("geo") in listed.output, listed.output
    again = CliRunner().invoke(dlq, ["replay", REPORTS_RECEIVED.dlq("geo"), "--all"], env=operator)
    assert "-> geo.replay" in again.output, again.output


async def first(kafka: SecureKafka, topic: str) -> bytes:
    """The first record of a topic, as the administrator sees it."""
    made = AIOKafkaConsumer(topic, **kafka.admin.aiokafka(), auto_offset_reset="earliest")
    async with running(made) as reader:
        value: bytes = (await reader.getone()).value
        return value
