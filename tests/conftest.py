"""Servers for tests, started when the first test asks for one, and an account of every skipped test."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pymongo import MongoClient

from deploy.local.choose import Chosen, choose_kafka, choose_mongo
from deploy.local.cluster import KafkaCluster
from deploy.local.embedded import EmbeddedKafka
from deploy.local.kafka_server import KafkaServer
from deploy.local.store import MongoServer
from shared.store import Store, open_store
from tests.servers import require_ours, require_real
from tests.store.helpers import in_database

Mongo = MongoServer | str | None


@pytest.fixture(scope="session")
def chosen_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chosen[KafkaServer]]:
    """The Kafka of this run: real where the machine can run one, else the embedded broker."""
    chosen = choose_kafka(tmp_path_factory.mktemp("kafka"))
    yield chosen
    if isinstance(chosen.server, KafkaCluster | EmbeddedKafka):
        chosen.server.close()


@pytest.fixture(scope="session")
def chosen_mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chosen[Mongo]]:
    """The MongoDB-compatible server of this run, or its URL, or None where there is none."""
    chosen = choose_mongo(tmp_path_factory.mktemp("mongo"))
    yield chosen
    if isinstance(chosen.server, MongoServer):
        chosen.server.close()


@pytest.fixture(scope="session")
def kafka_url(chosen_kafka: Chosen[KafkaServer]) -> str:
    """Bootstrap servers; mark the test `real_kafka` when the embedded broker would not do."""
    return chosen_kafka.server.url


@pytest.fixture(scope="session")
def kafka(chosen_kafka: Chosen[KafkaServer]) -> KafkaCluster:
    """The same Kafka with `kill`, `stop`, `pause`; after the test it is started again if need be."""
    require_real(chosen_kafka, "Kafka")
    require_ours(chosen_kafka.server, KafkaCluster, "KAFKA_URL")
    assert isinstance(chosen_kafka.server, KafkaCluster)
    return chosen_kafka.server


@pytest.fixture(scope="session")
def mongo_url(chosen_mongo: Chosen[Mongo]) -> str:
    """URL without a database name, when it is ours; skips where there is no such server."""
    require_real(chosen_mongo, "MongoDB-compatible server")
    server = chosen_mongo.server
    return server.url if isinstance(server, MongoServer) else str(server)


@pytest.fixture(scope="session")
def mongo_server(chosen_mongo: Chosen[Mongo]) -> MongoServer:
    """The same server with `kill`, `stop`, `pause`; after the test it is started again if need be."""
    require_real(chosen_mongo, "MongoDB-compatible server")
    require_ours(chosen_mongo.server, MongoServer, "MONGO_URL")
    assert isinstance(chosen_mongo.server, MongoServer)
    return chosen_mongo.server


@pytest.fixture
def topic(chosen_kafka: Chosen[KafkaServer], request: pytest.FixtureRequest) -> Callable[..., str]:
    """Creates topics: `topic(partitions=1, replication=1, config=None)` returns a name nobody else has."""

    def create(partitions: int = 1, replication: int = 1, config: dict[str, str] | None = None) -> str:
        name = f"{request.node.originalname}.{uuid4().hex[:8]}"
        chosen_kafka.server.create_topic(name, partitions, replication, config)
        return name

    return create


@pytest.fixture(params=["sqlite", pytest.param("mongo", marks=pytest.mark.real_mongo)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty store, once for every adapter."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/shared.db"
        return
    server: str = request.getfixturevalue("mongo_url")
    name = f"t{uuid4().hex}"
    yield in_database(server, name)
    with MongoClient[dict[str, object]](server) as client:
        client.drop_database(name)


@pytest.fixture(autouse=True)
def _servers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Honours the markers, and hands a server on in the state in which the next test expects it."""
    if request.node.get_closest_marker("real_kafka"):
        require_real(request.getfixturevalue("chosen_kafka"), "Kafka")
    if request.node.get_closest_marker("real_mongo"):
        require_real(request.getfixturevalue("chosen_mongo"), "MongoDB-compatible server")
    yield
    used = request.node.funcargs
    for server in (used.get("kafka"), used.get("mongo_server")):
        if server is not None:
            server.start()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """List every skip with its reason."""
    if skips := _skips(terminalreporter):
        terminalreporter.section("skipped")
        for where, reason in skips:
            terminalreporter.line(f"{where}: {reason}")
    if unexpected := _unexpected(terminalreporter):
        verdict = "the run fails" if os.environ.get("CI") else "would fail in CI"
        terminalreporter.line(f"{len(unexpected)} of these are not `expected:`: {verdict}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a test that was skipped without an `expected:` reason fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if (
        os.environ.get("CI")
        and reporter
        and _unexpected(reporter)
        and session.exitstatus == pytest.ExitCode.OK
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _skips(reporter: pytest.TerminalReporter) -> list[tuple[str, str]]:
    """(test or module, reason) of what was skipped, at collection or later."""
    reports = reporter.stats.get("skipped", [])
    return [(report.nodeid, report.longrepr[2].removeprefix("Skipped: ")) for report in reports]


def _unexpected(reporter: pytest.TerminalReporter) -> list[tuple[str, str]]:
    return [skip for skip in _skips(reporter) if not skip[1].startswith("expected:")]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A started embedded store of the test's own."""
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    await store.start()
    yield store
    await store.close()
