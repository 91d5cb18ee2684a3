"""The operators' way to packs: `ruamjai pack check` says everything that is wrong before a service does."""

from pathlib import Path

import click

from shared.pack.load import PackError


@click.group()
def pack() -> None:
    """Jurisdiction packs: areas, desks, units, zones and who goes to what."""


@pack.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def check(folder: Path) -> None:
    """Check the pack in FOLDER: pack.yaml, boundaries.geojson and zones.geojson."""
    from shared.pack.jurisdiction import load_jurisdiction  # other commands need not wait for the geometry

    try:
        found = load_jurisdiction(folder)
    except PackError as error:
        raise click.ClickException(str(error)) from None
    counted = found.pack
    click.echo(
        f"{counted.code} is sound: {len(found.areas)} areas, {len(counted.desks)} desks, "
        f"{len(counted.units)} units, {len(found.zones)} zones"
    )
