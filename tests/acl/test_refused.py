"""A service that Kafka does not let in says why, counts it, and goes on by itself once it is let in."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.local.access import Access
from deploy.local.certificates import Authority
from deploy.local.secure import SecureKafka
from shared.bus import Emit, Service
from shared.bus.runtime import Runtime
from shared.contracts import Event, IncidentOpened, Topic
from shared.contracts.topics import replay_of
from shared.rights import service_user
from tests.bus.live import World
from tests.bus.support import until

INPUT = Topic("refused.input", key="-")
NAME = "counter"


def counter() -> Service:
    """A service with one input."""
    service = Service(NAME)

    @service.on(INPUT)
    def count(event: Event[IncidentOpened]) -> Sequence[Emit]:
        return ()

    return service


@pytest.fixture(scope="module")
def admitted(secure: SecureKafka) -> SecureKafka:
    """The service has its topics and its rights."""
    for name in (INPUT.name, INPUT.dlq(NAME), replay_of(NAME)):
        secure.create_topic(name)
    secure.add_user(NAME, "right")
    secure.give(NAME, service_user(counter(), []).rights)
    return secure


def world(access: Access) -> World:
    return World(access.url, name=NAME, extra=access.environment())


def refused(runtime: Runtime, reason: str) -> float:
    """How often a connection was refused for this reason."""
    found = runtime.registry.get_sample_value("ruamjai_connections_refused_total", {"reason": reason})
    return found or 0.0


async def is_told(runtime: Runtime, reason: str) -> str:
    """Wait until a refusal is counted and return what readiness says of the broker."""
    await until(lambda: refused(runtime, reason) >= 1, f"{reason} is counted")
    health = runtime.ready()
    assert not health.ok
    return health.checks["broker"]


@pytest.mark.real_kafka
async def test_a_wrong_password_is_told_and_the_service_works_once_it_is_the_right_one(
    admitted: SecureKafka,
) -> None:
    admitted.add_user(NAME, "right")
    wrong = replace(admitted.access(NAME), password="wrong")
    async with world(wrong).running(counter()) as runtime:
        assert "refuses the user's name or password" in await is_told(runtime, "login_refused")
        admitted.add_user(NAME, "wrong")
        await until(lambda: runtime.ready().ok, "it is let in")


@pytest.mark.real_kafka
async def test_a_certificate_that_has_run_out_is_told_and_a_new_one_in_its_place_is_taken(
    admitted: SecureKafka,
) -> None:
    old = admitted.certified(NAME, lasts=timedelta(hours=-1))
    async with world(old).running(counter()) as runtime:
        assert "a certificate has run out" in await is_told(runtime, "certificate")
        assert until_of(runtime, "client") < datetime.now(UTC) < until_of(runtime, "authority")
        admitted.certified(NAME)  # in the same files
        await until(lambda: runtime.ready().ok, "it is let in")


def until_of(runtime: Runtime, file: str) -> datetime:
    """When a certificate runs out, as the metric says."""
    name = "ruamjai_certificate_expires_timestamp_seconds"
    return datetime.fromtimestamp(runtime.registry.get_sample_value(name, {"file": file}) or 0.0, UTC)


async def test_a_broker_whose_certificate_has_run_out_is_told_of(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    stale = authority.issue("broker", lasts=timedelta(hours=-1))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(stale.certificate, stale.key)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=tls)
    url = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, world(Access(url, NAME, authority.certificate)).running(counter()) as runtime:
        assert "certificate has expired" in await is_told(runtime, "certificate")


async def test_a_broker_that_is_away_is_not_taken_for_one_that_refuses(tmp_path: Path) -> None:
    nowhere = Access("127.0.0.1:1", NAME, Authority(tmp_path).certificate)
    async with world(nowhere).running(counter()) as runtime:
        waits = {"reason": "broker_unavailable"}
        asked = lambda: runtime.registry.get_sample_value("ruamjai_retried_total", waits)  # noqa: E731
        await until(asked, "it waits")
        assert refused(runtime, "certificate") == refused(runtime, "login_refused") == 0
