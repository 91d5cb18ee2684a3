"""Each service as its own user: with the rights of the table it works, with one of them less it says so."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
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
from shared.rights import Right
from tests.acl.clients import send
from tests.acl.working import arrived, at_work
from tests.bus.support import record_of, report, until
from tests.intake.live import new_door

BROKEN = b"no event at all"
MISSING = [
    ("geo", Right("group", "geo", ("Read",))),
    ("geo", Right("topic", "reports.received", ("Read",))),
    ("geo", Right("topic", "reports.received.geo.dlq", ("Write",))),
    ("geo", Right("topic", "reports.located", ("Write",))),
    ("dispatch", Right("group", "dispatch-gateway", ("Read",))),
    ("intake", Right("topic", "reports.received", ("Write",))),
    ("notify", Right("topic", "incidents", ("Read",))),
    ("notify", Right("topic", "agreements", ("Read",))),
]


@pytest.fixture
def services() -> dict[str, Service]:
    """All of them, as declared; each can run once."""
    return {service.name: service for service in declared()}


@contextmanager
def without(kafka: SecureKafka, user: str, right: Right) -> Iterator[None]:
    """Take one right away for a while."""
    kafka.take(user, [right])
    try:
        yield
    finally:
        kafka.give(user, [right])


def refusals(runtime: Runtime) -> float:
    """How often Kafka has refused what the service asked for."""
    reason = {"reason": "not_authorized"}
    names = ("ruamjai_retried_total", "ruamjai_producer_recreated_total")
    return sum(runtime.registry.get_sample_value(name, reason) or 0.0 for name in names)


def says_so(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> bool:
    """Whether the service has ended with a reason, has counted a refusal, or has logged one."""
    logged = " ".join(str(vars(record).get("error")) for record in caplog.records)
    return runtime.failure is not None or refusals(runtime) > 0 or "forbidden" in logged


async def test_geo_locates_and_sets_poison_aside_and_the_operator_replays_it(
    made: SecureKafka, services: dict[str, Service], operator: dict[str, str], tmp_path: Path
) -> None:
    urgent = record_of(REPORTS_RECEIVED_URGENT, report(1, category="medical_emergency", priority="P1"))
    ordinary = record_of(REPORTS_RECEIVED, report(2, category="theft"))
    poison = replace(record_of(REPORTS_RECEIVED, report(3)), value=BROKEN)
    await send(made.access("intake"), urgent, ordinary, poison)
    dead = REPORTS_RECEIVED.dlq("geo")
    async with at_work(made.access("geo"), services["geo"], tmp_path, new_door()) as runtime:
        await arrived(made, REPORTS_LOCATED.name, 1)
        await arrived(made, REPORTS_LOCATED_URGENT.name, 1)
        assert [letter.value for letter in await arrived(made, dead, 1)] == [BROKEN]
        assert not refusals(runtime)
    assert dead in await asyncio.to_thread(operate, operator, "list")
    assert "-> geo.replay" in await asyncio.to_thread(operate, operator, "replay", dead, "--all")


def operate(environ: dict[str, str], *arguments: str) -> str:
    """What `ruamjai dlq` says to the operator."""
    return CliRunner().invoke(dlq, arguments, env=environ).output


@pytest.mark.parametrize(("user", "right"), MISSING, ids=lambda given: getattr(given, "name", given))
async def test_a_service_with_one_right_less_says_that_it_is_refused(
    made: SecureKafka,
    services: dict[str, Service],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    user: str,
    right: Right,
) -> None:
    door = new_door()
    await send(made.access("intake"), record_of(REPORTS_RECEIVED, report(4, category="theft")))
    with without(made, user, right):
        async with at_work(made.access(user), services[user], tmp_path, door) as runtime:
            if user == "intake":
                await door.opens()
                assert (await door.post()).status_code == 202
            await until(lambda: says_so(runtime, caplog), "it is told", 40)
