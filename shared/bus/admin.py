"""The operators' way to topics: `ruamjai topics create` makes what is missing, as often as it is run."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import wraps
from itertools import chain
from typing import Any

import click
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from shared.contracts import topics as contract
from shared.contracts.topics import Topic, replay_of
from shared.settings import Settings, SettingsError, kafka_client_options, load_settings

LARGE = {"max.message.bytes": str(4 * 1024 * 1024)}
"""Of what carries an input's record and a few headers more."""
REPLICATION = 3
Groups = dict[str, tuple[Topic, ...]]


class _Heard(logging.Handler):
    """The last thing that aiokafka complained of, in place of all its lines."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def __enter__(self) -> "_Heard":
        self._logger = logging.getLogger("aiokafka")
        self._before = self._logger.handlers, self._logger.propagate
        self._logger.handlers, self._logger.propagate = [self], False
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.handlers, self._logger.propagate = self._before

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()


def operator_command(command: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a click callback of `command(settings, ...)`; what goes wrong outside becomes one line."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        heard = _Heard()
        try:
            with heard:
                asyncio.run(command(load_settings("ruamjai"), *args, **kwargs))
        except SettingsError as error:
            raise click.UsageError(str(error)) from None
        except (KafkaError, TimeoutError) as error:
            last = f" ({heard.last})" if heard.last else ""
            raise click.ClickException(f"Kafka: {error or type(error).__name__}{last}") from None

    return run


@asynccontextmanager
async def admin_client(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A connected administration client. Raises KafkaError when no broker answers."""
    client = AIOKafkaAdminClient(**kafka_client_options(settings), client_id="ruamjai-operator")
    try:
        await client.start()
        yield client
    finally:
        await client.close()


def wanted(
    groups: Groups, agencies: Sequence[str], own: Sequence[str] = ()
) -> Iterator[tuple[Topic, dict[str, str]]]:
    """Yield every topic there is to be, each once, with its configuration: the contract's and `own` ones."""
    partners = ((contract.agency_incidents(code), contract.agency_responses(code)) for code in agencies)
    for topic in (*contract.ALL, *chain.from_iterable(partners), *(Topic(name, key="") for name in own)):
        yield topic, _kept(topic.kept)
    for group, inputs in groups.items():
        for topic in inputs:
            dead = replace(topic, name=topic.dlq(group), kept=30 * contract.DAY)
            yield dead, _kept(dead.kept) | LARGE
        partitions = max(topic.partitions for topic in inputs)
        replay = Topic(replay_of(group), key="", partitions=partitions)
        yield replay, _kept(replay.kept) | LARGE


def _kept(kept: timedelta | None) -> dict[str, str]:
    if kept is None:
        return {"cleanup.policy": "compact"}
    return {"cleanup.policy": "delete", "retention.ms": str(kept // timedelta(milliseconds=1))}


async def create_topics(settings: Settings, new: Iterable[NewTopic]) -> dict[str, bool]:
    """Create what is missing; return by name whether it was. Raises KafkaError when one is refused."""
    async with admin_client(settings) as admin:
        cluster = await admin.describe_cluster()
        if cluster["controller_id"] not in [broker["node_id"] for broker in cluster["brokers"]]:
            raise KafkaError("this broker has no controller to create topics; the embedded one never has")
        response = await admin.create_topics(list(new))
    created = {}
    for name, code, *detail in response.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(f"{name}: {detail[0] or error.__name__}")
        created[name] = not code
    return created


def _group(_: click.Context, __: click.Parameter, texts: Sequence[str]) -> Groups:
    return dict(_inputs_of(text) for text in texts)


def _inputs_of(text: str) -> tuple[str, tuple[Topic, ...]]:
    group, _, names = text.partition("=")
    known = {topic.name: topic for topic in contract.ALL}
    chosen = names.split(",") if names else [t.name for t in contract.ALL if group in t.readers]
    inputs = tuple(known.get(name) or _agency_topic(name) for name in chosen)
    if not inputs:
        raise click.BadParameter(f"no topic has a reader {group!r}; say {group}=TOPIC[,TOPIC]")
    return group, inputs


def _agency_topic(name: str) -> Topic:
    _, _, rest = name.partition("agency.")
    code, _, kind = rest.rpartition(".")
    makers = {"incidents": contract.agency_incidents, "responses": contract.agency_responses}
    try:
        return makers[kind](code)
    except (KeyError, ValueError):
        raise click.BadParameter(f"{name!r} is not a topic of the contract") from None


@click.group()
def topics() -> None:
    """Topics: make them."""


def which_topics(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` the options that say which topics there are to be, and how often each is kept."""
    for option in (
        click.option("--replication", type=click.IntRange(1), default=REPLICATION, show_default=True),
        click.option("--topic", "own", multiple=True, metavar="NAME",
                     help="Also this topic, of a service of your own."),
        click.option("--agency", "agencies", multiple=True, metavar="CODE",
                     help="Also the topics of this agency."),
        click.option("--group", "groups", multiple=True, callback=_group, metavar="NAME[=TOPIC,...]",
                     help="Also the DLQs and the replay topic of this consumer group, of those topics or of "
                     "what it reads by contract."),
    ):  # fmt: skip
        command = option(command)
    return command


@topics.command()
@which_topics
@click.option("--partitions", type=click.IntRange(1), help="At most so many, for a small installation.")
@operator_command
async def create(
    settings: Settings,
    groups: Groups,
    agencies: Sequence[str],
    own: Sequence[str],
    replication: int,
    partitions: int | None,
) -> None:
    """Create the topics of the contract that do not exist yet; those that do are left as they are."""
    try:
        new = [
            NewTopic(topic.name, min(topic.partitions, partitions or topic.partitions), replication,
                     topic_configs=config | in_sync(replication))
            for topic, config in wanted(groups, agencies, own)
        ]  # fmt: skip
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    for name, created in (await create_topics(settings, new)).items():
        click.echo(f"{'created' if created else 'exists '}  {name}")


def in_sync(replication: int) -> dict[str, str]:
    """Return how many copies a record must have before it counts as kept: all but one."""
    return {"min.insync.replicas": str(max(1, replication - 1))}
