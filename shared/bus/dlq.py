"""The operators' way to dead letters: count them, look at one, send them to their group again."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, BinaryIO

import click

from shared.bus.admin import operator_command
from shared.bus.letters import Choice, dlq_topics, headers_of, letters, said, send_again
from shared.contracts.topics import replay_of
from shared.settings import Settings


def _choice(offset: int | None, partition: int | None, key: str | None, reason: str | None) -> Choice:
    if offset is not None and partition is None:
        raise click.UsageError("--offset needs --partition: each partition counts for itself")
    return Choice(partition, offset, key, reason)


@click.group()
def dlq() -> None:
    """Dead letters: what a consumer could not process, as it came, with the reason."""


@dlq.command("list")
@click.argument("topics", nargs=-1)
@click.option("--each", is_flag=True, help="Each on a line: topic, partition, offset, reason, key, detail.")
@operator_command
async def list_(settings: Settings, topics: Sequence[str], each: bool) -> None:
    """Count dead letters by topic and reason; without TOPICS, on every dead-letter topic."""
    counts: Counter[tuple[str, str]] = Counter()
    async for letter in letters(settings, topics or await dlq_topics(settings), Choice()):
        counts[letter.topic, said(letter, "reason")] += 1
        if each:
            where = f"{letter.topic} {letter.partition} {letter.offset}"
            click.echo(f"{where}  {said(letter, 'reason')}  {_text(letter.key)}  {said(letter, 'detail')}")
    if each:
        return
    for (topic, reason), count in sorted(counts.items()):
        click.echo(f"{count:8}  {reason:20}  {topic}")


@dlq.command()
@click.argument("topic")
@click.argument("partition", type=click.IntRange(0))
@click.argument("offset", type=click.IntRange(0))
@click.option("--save", type=click.File("wb"), help="Write its value, which may be personal data, to a file.")
@operator_command
async def show(settings: Settings, topic: str, partition: int, offset: int, save: BinaryIO | None) -> None:
    """Show one dead letter: key and headers, one a line; its value only goes to the file named."""
    found = [letter async for letter in letters(settings, [topic], Choice(partition, offset))]
    if not found:
        raise click.ClickException(f"{topic} has nothing at {partition}/{offset}")
    [letter] = found
    click.echo(f"key: {_text(letter.key)}")
    click.echo(f"value: {'null' if letter.value is None else f'{len(letter.value)} bytes'}")
    for name, value in headers_of(letter):
        click.echo(f"{_text(name.encode('utf-8', 'surrogateescape'))}: {_text(value)}")
    if save is not None:
        save.write(letter.value or b"")


def _text(raw: bytes | None) -> str:
    return "null" if raw is None else raw.decode("utf-8", "backslashreplace")


@dlq.command()
@click.argument("topic")
@click.option("--partition", type=click.IntRange(0), help="Those on this partition.")
@click.option("--offset", type=click.IntRange(0), help="The one at this offset of --partition.")
@click.option("--key", help="Those with this record key.")
@click.option("--reason", help="Those set aside for this reason.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option(
    "--repaired", type=click.File("rb"), help="File with the new value, for exactly one dead letter."
)
@operator_command
async def replay(
    settings: Settings, topic: str, everything: bool, repaired: BinaryIO | None, **options: Any
) -> None:
    """Send dead letters of TOPIC to their group again; only that group reads them."""
    choice = _choice(**options)
    if everything == (choice != Choice()):
        raise click.UsageError("choose with --partition, --offset, --key or --reason, or say --all")
    chosen = [letter async for letter in letters(settings, [topic], choice)]
    if repaired is not None and len(chosen) != 1:
        raise click.UsageError(f"--repaired is for exactly one dead letter; {len(chosen)} are chosen")
    if unaddressed := [f"{r.partition}/{r.offset}" for r in chosen if said(r, "group") == "?"]:
        raise click.ClickException(f"not a dead letter, it names no group: {', '.join(unaddressed)}")
    await send_again(settings, chosen, repaired.read() if repaired else None)
    for letter in chosen:
        click.echo(f"{topic}/{letter.partition}/{letter.offset} -> {replay_of(said(letter, 'group'))}")
    if not chosen:
        raise click.ClickException(f"no dead letter of {topic} is chosen")
