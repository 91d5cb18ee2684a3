"""`ruamjai agreements`: what operators do with agreements."""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

import click

from services.notify.agreements import published, reading
from services.notify.files import AgreementsError, load_agreements, too_soon
from shared.bus.admin import operator_command
from shared.bus.clients import make_producer
from shared.clock import clock_from
from shared.contracts import ContractError, encode
from shared.contracts.agreement import AgreementEvent
from shared.contracts.ids import new_id
from shared.contracts.topics import AGREEMENTS, agency_incidents, agency_responses
from shared.settings import Settings

SOURCE = "/ruamjai/agreements"


@click.group()
def agreements() -> None:
    """Agreements: what each partner may see."""


@agreements.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@operator_command
async def publish(settings: Settings, folder: Path) -> None:
    """Publish the agreements in FOLDER, one YAML file each; all of them, or none if one is wrong."""
    try:
        await publish_folder(settings, folder)
    except AgreementsError as error:
        raise click.ClickException(str(error)) from None
    except ContractError as error:
        raise click.ClickException(f"an agreement on the topic cannot be read: {error.reason}") from None


async def publish_folder(settings: Settings, folder: Path) -> None:
    """Do it. Raises AgreementsError, KafkaError or ContractError."""
    now, wanted = clock_from(settings).now(), load_agreements(folder)
    before = await published(settings)
    if problems := await _problems(settings, before, wanted, now):
        raise AgreementsError(problems)
    changed = [agreement for agreement in wanted if before.get(agreement.agreement_id) != agreement]
    await _send(settings, changed, now)
    for agreement in wanted:
        click.echo(f"{'published' if agreement in changed else 'unchanged'}  {agreement.agreement_id}")


async def _problems(
    settings: Settings, before: dict[str, AgreementEvent], wanted: Sequence[AgreementEvent], now: datetime
) -> list[str]:
    async with reading(settings) as reader:
        there = await reader.topics()
    found = [(a, too_soon(before.get(a.agreement_id), a, now)) for a in wanted]
    found += [(a, no_topics(a.agency, there)) for a in wanted]
    return [f"{agreement.agreement_id}: {problem}" for agreement, problem in found if problem]


def no_topics(agency: str, there: Collection[str]) -> str | None:
    """Return which topics `agency` lacks, as `field: reason`: what is decided for it could not go out."""
    names = [topic.name for topic in (agency_incidents(agency), agency_responses(agency))]
    missing = [name for name in names if name not in there]
    if not missing:
        return None
    are = "is" if len(missing) == 1 else "are"
    return f"agency: {', '.join(missing)} {are} missing; run `ruamjai topics create --agency {agency}`"


async def _send(settings: Settings, agreements: Sequence[AgreementEvent], now: datetime) -> None:
    producer = make_producer(settings)
    await producer.start()
    try:
        for a in agreements:
            record = encode(
                AGREEMENTS.name,
                AGREEMENTS.key_of(a),
                a,
                id=new_id(),
                source=SOURCE,
                time=now,
                traceparent=None,
            )
            await producer.send_and_wait(record.topic, record.value, record.key, headers=record.headers)
    finally:
        await producer.stop()
