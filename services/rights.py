"""`ruamjai rights`: who may do what on Kafka, as commands of its own tools or as Strimzi's KafkaUsers."""

from collections.abc import Sequence
from pathlib import Path

import click

from services.declared import declared
from services.notify.files import AgreementsError, load_agreements
from shared.rights import User, agency_user, operator_user, probe_user, service_user
from shared.rights.kafka_acls import script
from shared.rights.strimzi import manifests
from shared.settings import ConfigurationError

CLUSTER = "ruamjai"
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def table(agencies: Sequence[str], pack: Path | None = None, webhooks: Path | None = None) -> list[User]:
    """Return every user, where `agencies` have agreements. Raises PackError or EndpointsError."""
    services, codes = declared(pack, webhooks), sorted({*agencies})
    ours = [service_user(service, codes) for service in services]
    return [*ours, operator_user(services, codes), probe_user(), *map(agency_user, codes)]


@click.command()
@click.option("--agreements", type=FOLDER, help="The agencies are those with an agreement in this folder.")
@click.option("--pack", type=FOLDER, envvar="PACK_DIR", help="The jurisdiction pack.")
@click.option("--webhooks", type=FILE, envvar="WEBHOOKS_FILE", help="The webhook endpoints.")
@click.option("--format", "form", type=click.Choice(["kafka-acls", "strimzi"]), required=True)
@click.option("--user", "names", multiple=True, metavar="NAME", help="Only this user; may be repeated.")
@click.option("--remove", is_flag=True, help="What takes the rights away (kafka-acls).")
@click.option("--cluster", default=CLUSTER, show_default=True, help="Name of the Kafka resource (strimzi).")
@click.option(
    "--authentication",
    type=click.Choice(["scram-sha-512", "tls"]),
    default="scram-sha-512",
    show_default=True,
    help="How the users prove who they are (strimzi).",
)
def rights(
    agreements: Path | None,
    pack: Path | None,
    webhooks: Path | None,
    form: str,
    names: Sequence[str],
    remove: bool,
    cluster: str,
    authentication: str,
) -> None:
    """Print the rights of every service, of operators, of the probe and of every agency."""
    try:
        agencies = [found.agency for found in load_agreements(agreements)] if agreements else []
        users = table(agencies, pack, webhooks)
    except (AgreementsError, ConfigurationError) as error:
        raise click.ClickException(str(error)) from None
    if unknown := {*names} - {user.name for user in users}:
        raise click.UsageError(f"there is no user {', '.join(sorted(unknown))}")
    chosen = [user for user in users if not names or user.name in names]
    if form == "strimzi":
        if remove:
            raise click.UsageError("Strimzi removes what belongs to a KafkaUser that is deleted")
        click.echo(manifests(chosen, cluster, authentication), nl=False)
    else:
        click.echo(script(chosen, remove=remove), nl=False)
