"""The operators' way to packs: made, checked and indexed before a service has to do with them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shared.pack.load import PackError

if TYPE_CHECKING:
    from shared.pack.jurisdiction import Jurisdiction

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def pack() -> None:
    """Jurisdiction packs: areas, desks, units, zones and who goes to what."""


@pack.command()
@click.argument("folder", type=FOLDER)
def check(folder: Path) -> None:
    """Check the pack in FOLDER: pack.yaml, boundaries.geojson and zones.geojson."""
    from shared.pack.jurisdiction import check_jurisdiction  # other commands need not wait for the geometry

    with _refusals():
        found = check_jurisdiction(folder)
    click.echo(_summary(found))


@pack.command()
@click.argument("boundaries", type=FILE)
@click.argument("recipe", type=FILE)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the pack, made anew.")
@click.option("--zones", type=FILE, help="zones.geojson, for the zones of the recipe.")
def build(boundaries: Path, recipe: Path, out: Path, zones: Path | None) -> None:
    """Make a pack of a file of BOUNDARIES (GeoJSON, GeoPackage, Shapefile ...) and a RECIPE.

    Says what was repaired and why. What cannot be repaired without guessing is rejected: then nothing is
    written, and the command ends with 1.
    """
    from shared.pack.building.build import build as make

    with _refusals():
        made, report = make(boundaries, recipe, out, zones)
    for line in report.lines():
        click.echo(line)
    if made is None:
        raise click.ClickException(f"{len(report.rejections)} rejected: nothing was written")
    click.echo(_summary(made))


@pack.command()
@click.argument("folder", type=FOLDER)
def index(folder: Path) -> None:
    """Write index.npz into FOLDER, with which a service starts faster; needed anew when the pack changes."""
    from shared.pack.index import Index, save_index
    from shared.pack.jurisdiction import check_jurisdiction

    with _refusals():
        found = check_jurisdiction(folder)
    save_index(found.pack, Index.of(found.areas, found.zones), folder)
    click.echo(f"{folder / 'index.npz'}: {len(found.areas)} areas, {len(found.zones)} zones")


def _summary(found: "Jurisdiction") -> str:
    counted = found.pack
    return (
        f"{counted.code} is sound: {len(found.areas)} areas, {len(counted.desks)} desks, "
        f"{len(counted.units)} units, {len(found.zones)} zones"
    )


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except PackError as error:
        raise click.ClickException(str(error)) from None
