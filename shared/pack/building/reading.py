"""Reads a boundary file of any kind that GDAL knows, in degrees whatever its own reference system is."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from shared.pack.building.recipe import Source
from shared.pack.load import PackError

DEGREES = ("EPSG:4326", "OGC:CRS84")
WARPED = (
    "<OGRVRTDataSource><OGRVRTWarpedLayer><OGRVRTLayer name={layer}><SrcDataSource>{place}</SrcDataSource>"
    "</OGRVRTLayer><SrcSRS>{crs}</SrcSRS><TargetSRS>OGC:CRS84</TargetSRS></OGRVRTWarpedLayer></OGRVRTDataSource>"
)
"""How GDAL itself is asked for other coordinates, so that no other library is needed for it."""


@dataclass(frozen=True)
class Feature:
    """One feature as it stands in the file, counted from 1; `wkb` is None where it has no geometry."""

    number: int
    properties: Mapping[str, Any]
    wkb: bytes | None


@dataclass(frozen=True)
class BoundaryFile:
    """What was read: the features, the reference system they came in, and what the library remarked."""

    features: list[Feature]
    crs: str
    remarks: list[str]


def read_boundaries(path: Path, source: Source) -> BoundaryFile:
    """Return the features of the file with the properties that `source` names. Raises PackError."""
    try:
        import pyogrio
    except ModuleNotFoundError:
        raise PackError(["boundary files are read with pyogrio: pip install 'ruamjai[maps]'"]) from None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            crs, features = _read(pyogrio, path, source)
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
            raise PackError([f"{path.name}: {error}"]) from None
    return BoundaryFile(features, crs, sorted({str(warning.message) for warning in caught}))


def _read(pyogrio: Any, path: Path, source: Source) -> tuple[str, list[Feature]]:
    place = f"/vsigzip/{path.absolute()}" if path.suffix == ".gz" else str(path.absolute())
    about = pyogrio.read_info(place, layer=source.layer)
    wanted = _properties(source)
    if missing := sorted(wanted - {*about["fields"]}):
        has = ", ".join(about["fields"]) or "none"
        raise PackError([f"{path.name}: it has no property {', '.join(missing)}; it has {has}"])
    crs, layer = about["crs"] or source.crs, source.layer or str(about["layer_name"])
    if crs is None:
        raise PackError([f"{path.name}: it does not say its reference system: give it as source.crs"])
    if crs not in DEGREES:
        place = WARPED.format(layer=quoteattr(layer), place=escape(place), crs=escape(crs))
    try:
        names, _, shapes, columns = pyogrio.raw.read(
            place, layer=layer, columns=sorted(wanted), force_2d=True
        )
    except pyogrio.errors.DataLayerError:
        raise PackError([f"{path.name}: {crs} cannot be turned into degrees in WGS 84"]) from None
    rows = zip(*columns, strict=True)
    shapes = [None] * len(columns[0]) if shapes is None else shapes
    return crs, [
        Feature(number, dict(zip(names["fields"], row, strict=True)), shape)
        for number, (shape, row) in enumerate(zip(shapes, rows, strict=True), 1)
    ]


def _properties(source: Source) -> set[str]:
    return {source.code} | {name for level in source.names.values() for name in (level.th, level.en)}
