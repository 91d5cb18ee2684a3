"""What operators type: topics are made once, dead letters are counted, shown and sent again."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from click.testing import CliRunner, Result

from deploy.local.embedded import EmbeddedKafka
from shared.bus.dead_letters import Poison, dead_letter
from shared.bus.incoming import Incoming
from shared.bus.letters import partitions
from shared.cli import COMMANDS, main
from shared.contracts.topics import ALL, DESK_INPUTS
from shared.telemetry import Reason
from tests.bus.live import World
from tests.bus.support import header, raw_record, until
from tests.bus.wire import WRONG_NAME

MIB = 1024 * 1024
DAY_MS = 24 * 3600 * 1000


async def ruamjai(*args: str, url: str | None = None) -> Result:
    """Run the command line as an operator would."""
    env = {"KAFKA_URL": url, "RUAMJAI_SETTINGS": None}
    return await asyncio.to_thread(CliRunner().invoke, main, args, env=env)


async def config_of(url: str, topic: str) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=url)
    await admin.start()
    [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    await admin.close()
    return {entry[0]: entry[1] for resource in answer.resources for entry in resource[4]}


async def known(world: World, last: str) -> dict[str, list[int]]:
    """All topics, once the broker tells of the `last` one made."""

    async def look() -> dict[str, list[int]] | None:
        found = await partitions(world.settings())
        return found if last in found else None

    return await until(look, f"{last} is known")


@pytest.mark.real_kafka
async def test_topics_are_made_as_the_contract_says_and_a_second_run_changes_nothing(kafka_url: str) -> None:
    args = ("topics", "create", "--replication", "1", "--group", "dispatch", "--agency", "rescue-1")
    first = await ruamjai(*args, url=kafka_url)
    assert first.exit_code == 0, first.output
    found = await known(World(kafka_url), "agency.rescue-1.responses")
    for topic in ALL:
        assert len(found[topic.name]) == topic.partitions
    for topic in DESK_INPUTS:
        assert len(found[topic.dlq("dispatch")]) == topic.partitions
    assert len(found["dispatch.replay"]) == DESK_INPUTS[0].partitions
    assert {"agency.rescue-1.incidents", "agency.rescue-1.responses"} <= found.keys()
    dlq = await config_of(kafka_url, "desks.commands.dispatch.dlq")
    assert (dlq["max.message.bytes"], dlq["retention.ms"]) == (str(4 * MIB), str(30 * DAY_MS))
    assert (await config_of(kafka_url, "agreements"))["cleanup.policy"] == "compact"
    assert (await config_of(kafka_url, "incidents"))["retention.ms"] == str(90 * DAY_MS)
    second = await ruamjai(*args, url=kafka_url)
    assert second.exit_code == 0
    assert "created" not in second.output


@pytest.mark.real_kafka
async def test_a_small_installation_asks_for_fewer_partitions(world: World) -> None:
    await world.topics(world.topic("in"))
    name = f"small-{world.name}"
    group = f"{name}={ALL[0].name},agency.{name}.responses"
    args = ("topics", "create", "--replication", "1", "--partitions", "2", "--group", group)
    result = await ruamjai(*args, url=world.url)
    assert result.exit_code == 0, result.output
    found = await known(world, f"{name}.replay")
    assert len(found[ALL[0].dlq(name)]) == 2
    assert len(found[f"agency.{name}.responses.{name}.dlq"]) == 1
    assert len(found[f"{name}.replay"]) == 2


@pytest.fixture
def kafka_embedded() -> Iterator[str]:
    """A broker nobody has created a topic on."""
    with closing(EmbeddedKafka()) as broker:
        yield broker.url


async def letters_on(world: World, *poison: tuple[Incoming, Reason]) -> str:
    topic = world.topic("in", 2)
    await world.topics(topic)
    await world.send(*(dead_letter(record, world.name, Poison(reason, "why")) for record, reason in poison))
    return topic.dlq(world.name)


def some(world: World) -> Sequence[tuple[Incoming, Reason]]:
    topic = world.topic("in", 2).name
    wrong = WRONG_NAME.decode("utf-8", "surrogateescape")
    return (
        (raw_record(topic, b"a", b"first", [("ce_id", b"1"), (wrong, b"x")], 10, 0), Reason.BAD_BODY),
        (raw_record(topic, b"b", b"\xffsecond", [("ce_id", b"2")], 11, 1), Reason.BAD_BODY),
        (raw_record(topic, b"a", None, [("ce_id", b"3")], 12, 0), Reason.NULL_VALUE),
        (raw_record(topic, None, None, [], 13, 0), Reason.NULL_VALUE),
    )


@pytest.mark.real_kafka
async def test_dead_letters_are_counted_by_reason(world: World) -> None:
    dlq = await letters_on(world, *some(world))
    for args in (("dlq", "list"), ("dlq", "list", dlq)):
        result = await ruamjai(*args, url=world.url)
        lines = [line.split() for line in result.output.splitlines() if dlq in line]
        assert lines == [["2", "bad_body", dlq], ["2", "null_value", dlq]]


@pytest.mark.real_kafka
async def test_each_dead_letter_is_listed_with_what_shows_or_replays_it(world: World) -> None:
    dlq = await letters_on(world, *some(world))
    lines = (await ruamjai("dlq", "list", "--each", dlq, url=world.url)).output.splitlines()
    assert [dlq, "1", "0", "bad_body", "b", "why"] in [line.split() for line in lines]
    assert len(lines) == 4


async def test_a_broker_without_a_controller_is_told_from_one_that_is_away(kafka_embedded: str) -> None:
    result = await ruamjai("topics", "create", url=kafka_embedded)
    assert (result.exit_code, "no controller" in result.output) == (1, True)


async def test_where_there_is_no_dead_letter_topic_none_is_listed(kafka_embedded: str) -> None:
    result = await ruamjai("dlq", "list", url=kafka_embedded)
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.real_kafka
async def test_a_dead_letter_is_shown_and_its_bytes_only_when_asked_for(world: World, tmp_path: Path) -> None:
    dlq = await letters_on(world, *some(world))
    shown = await ruamjai("dlq", "show", dlq, "0", "0", url=world.url)
    assert "key: a" in shown.output
    assert "ce_id: 1" in shown.output
    assert "dlq_reason: bad_body" in shown.output
    assert "\\xff\\xfe\\x80wrong.name: x" in shown.output
    assert "first" not in shown.output
    saved = tmp_path / "value"
    await ruamjai("dlq", "show", dlq, "1", "0", "--save", str(saved), url=world.url)
    assert saved.read_bytes() == b"\xffsecond"
    nothing = await ruamjai("dlq", "show", dlq, "1", "99", url=world.url)
    assert nothing.exit_code == 1
    assert "has nothing at 1/99" in nothing.output


@pytest.mark.real_kafka
@pytest.mark.parametrize(
    ("choice", "offsets"),
    [
        (("--all",), {"10", "11", "12", "13"}),
        (("--key", "a"), {"10", "12"}),
        (("--reason", "null_value"), {"12", "13"}),
        (("--partition", "0"), {"10", "12", "13"}),
        (("--partition", "0", "--offset", "1"), {"12"}),
        (("--key", "a", "--reason", "bad_body"), {"10"}),
    ],
    ids=" ".join,
)
async def test_the_chosen_letters_are_sent_again_as_they_were(
    world: World, choice: tuple[str, ...], offsets: set[str]
) -> None:
    poison = some(world)
    dlq = await letters_on(world, *poison)
    result = await ruamjai("dlq", "replay", dlq, *choice, url=world.url)
    assert result.exit_code == 0, result.output
    replayed = await world.read(f"{world.name}.replay")
    assert {(header(r, "dlq_offset") or b"").decode() for r in replayed} == offsets
    for record in replayed:
        [original] = [p for p, _ in poison if str(p.offset).encode() == header(record, "dlq_offset")]
        assert (record.key, record.value, record.partition) == (
            original.key,
            original.value,
            original.partition,
        )
        assert header(record, "ce_id") == header(original, "ce_id")


@pytest.mark.real_kafka
async def test_a_repaired_value_goes_to_exactly_one(world: World, tmp_path: Path) -> None:
    dlq = await letters_on(world, *some(world))
    (tmp_path / "new").write_bytes(b"repaired")
    repaired = ("--repaired", str(tmp_path / "new"))
    refused = await ruamjai("dlq", "replay", dlq, "--key", "a", *repaired, url=world.url)
    assert refused.exit_code == 2
    assert "exactly one dead letter; 2 are chosen" in refused.output
    done = await ruamjai("dlq", "replay", dlq, "--key", "b", *repaired, url=world.url)
    assert done.exit_code == 0, done.output
    [replayed] = await world.read(f"{world.name}.replay")
    assert (replayed.value, header(replayed, "ce_id")) == (b"repaired", b"2")


@pytest.mark.real_kafka
async def test_a_topic_that_does_not_exist_is_named_in_one_line(world: World) -> None:
    result = await ruamjai("dlq", "list", "no.such.dlq", url=world.url)
    assert result.exit_code == 2
    assert "there is no topic no.such.dlq" in result.output


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("dlq", "replay", "t.g.dlq"), "choose with"),
        (("dlq", "replay", "t.g.dlq", "--all", "--key", "k"), "choose with"),
        (("dlq", "replay", "t.g.dlq", "--offset", "3"), "--offset needs --partition"),
        (("dlq", "replay", "t.g.dlq", "--all", "--repaired", "/no/such/file"), "No such file"),
        (("topics", "create", "--group", "nobody"), "no topic has a reader 'nobody'"),
        (("topics", "create", "--group", "g=no.such"), "'no.such' is not a topic of the contract"),
        (("topics", "create", "--agency", "Not A Code"), "agency code"),
        (("no-such-command",), "No such command"),
    ],
    ids=" ".join,
)
async def test_a_wrong_command_is_explained_in_one_line_and_ends_with_two(
    args: tuple[str, ...], words: str
) -> None:
    result = await ruamjai(*args, url="127.0.0.1:1")
    assert result.exit_code == 2
    assert words in result.output
    assert "Traceback" not in result.output


async def test_missing_settings_end_with_two_and_the_name_of_what_is_missing() -> None:
    result = await ruamjai("dlq", "list")
    assert result.exit_code == 2
    assert "KAFKA_URL is missing" in result.output


async def test_a_kafka_that_does_not_answer_is_one_line() -> None:
    result = await ruamjai("dlq", "list", url="127.0.0.1:1")
    assert result.exit_code == 1
    assert result.output.startswith("Error: Kafka: ")
    assert len(result.output.splitlines()) == 1


async def test_a_package_brings_its_own_command_and_it_is_loaded_when_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    brought = EntryPoint("greet", "tests.bus.test_commands:greet", COMMANDS)
    monkeypatch.setattr("shared.cli.entry_points", lambda group: [brought] if group == COMMANDS else [])
    assert "greet" in (await ruamjai("--help")).output
    assert (await ruamjai("greet")).output == "สวัสดี\n"


@click.command()
def greet() -> None:
    """Say hello."""
    click.echo("สวัสดี")
