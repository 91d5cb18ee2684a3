"""`ruamjai topics strimzi`: the same topics as resources, where the Strimzi operator makes them."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
import yaml

from shared.bus.admin import Groups, in_sync, wanted, which_topics
from shared.contracts.topics import Topic


@click.command()
@which_topics
@click.option("--cluster", default="ruamjai", show_default=True, help="The Kafka that they belong to.")
def strimzi(
    groups: Groups, agencies: Sequence[str], own: Sequence[str], replication: int, cluster: str
) -> None:
    """Print the topics as KafkaTopic resources."""
    try:
        found = list(wanted(groups, agencies, own))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    click.echo("# Made by `ruamjai topics strimzi`, do not edit.")
    resources = (
        resource(topic, config | in_sync(replication), replication, cluster) for topic, config in found
    )
    click.echo(yaml.safe_dump_all(resources, sort_keys=False), nl=False)


def resource(topic: Topic, config: Mapping[str, str], replication: int, cluster: str) -> dict[str, Any]:
    """Return the KafkaTopic of a topic. Its name is also the resource's: dots are allowed there."""
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaTopic",
        "metadata": {"name": topic.name, "labels": {"strimzi.io/cluster": cluster}},
        "spec": {"partitions": topic.partitions, "replicas": replication, "config": dict(config)},
    }
