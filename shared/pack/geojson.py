"""Reads the polygons of a GeoJSON file (RFC 7946) and says of every feature what is wrong with it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import shapely
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from pydantic_core import from_json
from shapely.geometry.base import BaseGeometry

from shared.pack.files import lines_of, read_bytes

MOST = 3
"""Problems told of one feature: a wrong file is wrong in the same way at every position."""
Ring = Annotated[list[Annotated[list[float], Field(min_length=2, max_length=3)]], Field(min_length=4)]
Rings = Annotated[list[Ring], Field(min_length=1)]


class Part(BaseModel):
    """Base of what a file consists of: a number is no text and a text no number."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class Polygon(Part):
    """The outer ring and its holes, each position as longitude, latitude and perhaps height."""

    type: Literal["Polygon"]
    coordinates: Rings

    @property
    def parts(self) -> Sequence[Rings]:
        """The polygons it consists of."""
        return [self.coordinates]


class MultiPolygon(Part):
    """Several polygons that are one feature."""

    type: Literal["MultiPolygon"]
    coordinates: Annotated[list[Rings], Field(min_length=1)]

    @property
    def parts(self) -> Sequence[Rings]:
        """The polygons it consists of."""
        return self.coordinates


class Feature(Part):
    """One feature. Members nobody here reads are allowed, as the standard says."""

    type: Literal["Feature"]
    properties: dict[str, Any]
    geometry: Annotated[Polygon | MultiPolygon, Field(discriminator="type")]


class Collection(Part):
    """The file."""

    type: Literal["FeatureCollection"]
    features: list[Any]
    crs: Any = None

    @field_validator("crs")
    @classmethod
    def _degrees(cls, value: Any) -> Any:
        """Struck from the standard, but tools still write it, and any other than CRS84 means what it says."""
        if value is not None and "CRS84" not in str(value):
            raise ValueError("GeoJSON is longitude, latitude in WGS 84 (CRS84): convert the file first")
        return value


@dataclass
class Layer:
    """The sound features of one file by their name, the names of all, and what is wrong with them."""

    file: str
    shapes: dict[str, BaseGeometry] = field(default_factory=dict)
    names: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def read_layer(path: Path, key: str, allowed: TypeAdapter[str]) -> Layer:
    """Read the file at `path`, whose features are named by the property `key`, a text that is `allowed`."""
    layer = Layer(path.name)
    try:
        features = Collection.model_validate(from_json(read_bytes(path), allow_inf_nan=False)).features
    except ValidationError as error:
        layer.problems += [f"{path.name}: {line}" for line in lines_of(error)]
    except (OSError, ValueError) as error:
        layer.problems.append(f"{path.name}: {error}")
    else:
        for number, raw in enumerate(features, 1):
            name = _name(raw, key, allowed)
            label = f"{path.name}: feature {number}" + (f" ({name})" if name else "")
            layer.problems += [f"{label}: {reason}" for reason in _add(raw, key, name, layer)]
    return layer


def _name(raw: Any, key: str, allowed: TypeAdapter[str]) -> str | None:
    try:
        return allowed.validate_python(raw["properties"][key], strict=True)
    except (LookupError, TypeError, ValidationError):
        return None


def _add(raw: Any, key: str, name: str | None, layer: Layer) -> Iterator[str]:
    """Add a feature to its layer; yield what is wrong with it."""
    if name is None:
        yield f"properties.{key} is missing or malformed; it is a text"
    else:
        layer.names[name] += 1
        if layer.names[name] > 1:
            yield f"another feature has the {key} {name}"
    try:
        geometry = Feature.model_validate(raw).geometry
    except ValidationError as error:
        yield from lines_of(error, MOST)
        return
    if complaints := list(_complaints(geometry)):
        yield from complaints
        return
    shape = _shape(geometry)
    if not shape.is_valid:
        yield f"bad geometry: {shapely.is_valid_reason(shape)}"
    elif name is not None:
        layer.shapes[name] = shape


def _shape(geometry: Polygon | MultiPolygon) -> BaseGeometry:
    parts = [
        shapely.Polygon([p[:2] for p in outer], [[p[:2] for p in hole] for hole in holes])
        for outer, *holes in geometry.parts
    ]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _complaints(geometry: Polygon | MultiPolygon) -> Iterator[str]:
    rings = [ring for part in geometry.parts for ring in part]
    if unclosed := sum(ring[0][:2] != ring[-1][:2] for ring in rings):
        yield f"{unclosed} of {len(rings)} rings do not end where they begin"
    outside = [p for ring in rings for p in ring if abs(p[0]) > 180 or abs(p[1]) > 90]
    if outside:
        yield f"{len(outside)} positions are out of range{_hint(outside)}"


def _hint(outside: Sequence[Sequence[float]]) -> str:
    if all(abs(p[0]) <= 90 and abs(p[1]) <= 180 for p in outside):
        return ": GeoJSON says longitude, latitude; here they seem to be the other way round"
    if any(abs(value) > 1000 for p in outside for value in p[:2]):
        return ": these look like metres of a projection such as UTM; GeoJSON wants degrees in WGS 84"
    return ": GeoJSON wants degrees in WGS 84, longitude before latitude"
