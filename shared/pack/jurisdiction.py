"""A pack with its geometry, whole or not at all. Apart from `load_pack`, because only few need the shapes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter
from shapely.geometry.base import BaseGeometry

from shared.contracts.values import Area, Id
from shared.pack.coverage import holes, overlaps, strays
from shared.pack.digest import BOUNDARIES, ZONES
from shared.pack.geojson import Layer, read_layer
from shared.pack.index import Index, load_index
from shared.pack.load import DEMO, FILE, PackError, read_pack
from shared.pack.model import Pack


@dataclass(frozen=True)
class Jurisdiction:
    """A pack, its areas by their 2-, 4- or 6-digit code, and its zones by id; shapes in degrees, WGS 84."""

    pack: Pack
    areas: Mapping[str, BaseGeometry]
    zones: Mapping[str, BaseGeometry]
    index: Index | None = None
    """Where it was kept beside the pack; making one takes longer than all the rest."""


def load_jurisdiction(folder: Path | None = None) -> Jurisdiction:
    """Return the pack in `folder` with its shapes, the demonstration pack without one.

    With an index of these very files, what was checked when that was made is not checked again. Raises
    PackError, which says everything that is wrong with any of the three files.
    """
    folder = folder or DEMO
    if (kept := load_index(folder)) is None:
        return check_jurisdiction(folder)
    pack, index = kept
    return Jurisdiction(pack, index.areas.shapes, index.zones.shapes, index)


def check_jurisdiction(folder: Path) -> Jurisdiction:
    """Return the same after every check, whether or not there is an index. Raises PackError."""
    pack, problems = read_pack(folder)
    areas = read_layer(folder / BOUNDARIES, "code", TypeAdapter(Area))
    zones = Layer(ZONES)
    if (folder / ZONES).exists() or (pack and pack.zones):  # a jurisdiction need not have any
        zones = read_layer(folder / ZONES, "id", TypeAdapter(Id))
    problems += [*areas.problems, *zones.problems, *_areas_amiss(areas)]
    if pack is not None:
        problems += [*_desks_amiss(pack, areas), *_zones_amiss(pack, zones)]
    if pack is None or problems:
        raise PackError(problems)
    return Jurisdiction(pack, areas.shapes, zones.shapes)


def _areas_amiss(layer: Layer) -> Iterator[str]:
    if layer.problems:
        return
    if not layer.shapes:
        yield f"{BOUNDARIES}: there is no area in it"
        return
    for one, other, size in overlaps(layer.shapes):
        yield f"{BOUNDARIES}: {other}: {size:.2f} km² of it are also in {one}"
    for inner, outer, size in strays(layer.shapes):
        yield f"{BOUNDARIES}: {inner}: {size:.2f} km² of it are outside of {outer}"
    for lat, lon, size in holes(layer.shapes):
        yield f"{BOUNDARIES}: no area covers {size:.2f} km² around latitude {lat:.5f}, longitude {lon:.5f}"


def _desks_amiss(pack: Pack, layer: Layer) -> Iterator[str]:
    covered = {name[:digits] for name in layer.names for digits in (2, 4, 6)}
    wanted = [(f"desks: {desk.code}", area) for desk in pack.desks for area in desk.areas]
    for where, area in [*wanted, *(("areas", area) for area in pack.areas)]:
        if covered and area not in covered:
            yield f"{FILE}: {where}: no boundary is in the area {area}"


def _zones_amiss(pack: Pack, layer: Layer) -> Iterator[str]:
    known = {zone.id for zone in pack.zones}
    if layer.names or not layer.problems:
        for id_ in sorted(known - {*layer.names}):
            yield f"{FILE}: zones: {id_}: it has no polygon in {ZONES}"
    yield from (f"{ZONES}: {id_}: it is no zone of {FILE}" for id_ in sorted({*layer.names} - known))
