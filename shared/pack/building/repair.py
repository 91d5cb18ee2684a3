"""Makes areas of features: what a repair can mend without guessing is mended, all else is rejected."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import shapely
from pydantic import TypeAdapter, ValidationError
from shapely.geometry.base import BaseGeometry

from shared.contracts.values import Area
from shared.pack.building.reading import Feature
from shared.pack.building.recipe import Source
from shared.pack.building.report import Remark, Report
from shared.pack.coverage import SLIVER_KM2, km2
from shared.pack.model import Names

AREA = TypeAdapter[str](Area)
WORLD = shapely.box(-180, -90, 180, 90)


class RejectedError(ValueError):
    """A feature that cannot be used; says why."""


@dataclass(frozen=True)
class Piece:
    """A feature with its code, its names by code (its own and those it is part of) and a sound shape."""

    number: int
    code: str
    names: dict[str, Names]
    shape: BaseGeometry


def pieces_of(features: Iterable[Feature], source: Source, report: Report) -> Iterator[Piece]:
    """Yield the features that can be used, the others are in the report."""
    for feature in features:
        code = None
        try:
            code = _code(feature.properties[source.code], source.prefix)
            names = dict(_names(feature, code, source))
            shape, repairs = sound(feature.wkb)
        except RejectedError as error:
            report.rejections.append(Remark((feature.number,), code, str(error)))
            continue
        report.repairs += [Remark((feature.number,), code, reason, change) for reason, change in repairs]
        yield Piece(feature.number, code, names, shape)


def united(pieces: Iterable[Piece], report: Report) -> dict[str, BaseGeometry]:
    """Return the areas by code; what is in several features is put together, unless they overlap."""
    by_code: dict[str, list[Piece]] = defaultdict(list)
    for piece in pieces:
        by_code[piece.code].append(piece)
    return {code: _joined(parts, report) for code, parts in sorted(by_code.items())}


def named(pieces: Iterable[Piece], report: Report) -> dict[str, Names]:
    """Return the names of all areas, whether or not they have a shape of their own."""
    found: dict[str, Names] = {}
    for piece in pieces:
        for code, names in piece.names.items():
            if (known := found.setdefault(code, names)) != names:
                reason = f"{code} is {names.th} ({names.en}) here and {known.th} ({known.en}) before"
                report.rejections.append(Remark((piece.number,), piece.code, reason))
    return dict(sorted(found.items()))


def sound(wkb: bytes | None) -> tuple[BaseGeometry, list[tuple[str, float]]]:
    """Return a valid polygon or several, and each repair with the km² it added.

    Raises RejectedError: no polygon at all, out of range, or a repair that would move more ground than good
    outlines may disagree about.
    """
    if wkb is None:
        raise RejectedError("it has no geometry that can be read")
    repairs: list[tuple[str, float]] = []
    shape = shapely.from_wkb(wkb, on_invalid="ignore")
    if shape is None:
        shape = shapely.from_wkb(wkb, on_invalid="fix")
        repairs.append(("a ring did not end where it begins", 0.0))
    if shape is None or shape.is_empty or shape.geom_type not in ("Polygon", "MultiPolygon"):
        raise RejectedError("it is no polygon")
    if not shapely.contains(WORLD, shapely.box(*shape.bounds)):
        raise RejectedError("positions are out of range: longitude, latitude in WGS 84 degrees are wanted")
    if not shape.is_valid:
        why = shapely.is_valid_reason(shape)
        shape, change = _mended(shape, why)
        repairs.append((why, change))
    return shapely.normalize(shape), repairs


def _mended(shape: BaseGeometry, why: str) -> tuple[BaseGeometry, float]:
    mended = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    change = km2(mended, shape)
    if mended.is_empty or abs(change) > SLIVER_KM2:
        raise RejectedError(f"{why}; a repair would change it by {change:+.3f} km², which is a guess")
    return mended, change


def _joined(parts: list[Piece], report: Report) -> BaseGeometry:
    if len(parts) == 1:
        return parts[0].shape
    shape = shapely.normalize(shapely.union_all([part.shape for part in parts]))
    change = km2(shape, *(part.shape for part in parts))
    numbers, code = tuple(part.number for part in parts), parts[0].code
    if abs(change) > SLIVER_KM2:
        report.rejections.append(Remark(numbers, code, "they have the same code and overlap", change))
    else:
        report.repairs.append(Remark(numbers, code, "they have the same code: put together", change))
    return shape


def _code(value: Any, prefix: str) -> str:
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    if not text.startswith(prefix):
        raise RejectedError(f"its code does not begin with {prefix}")
    try:
        return AREA.validate_python(text.removeprefix(prefix))
    except ValidationError:
        raise RejectedError("its code is missing or not 2, 4 or 6 digits") from None


def _names(feature: Feature, code: str, source: Source) -> Iterator[tuple[str, Names]]:
    if len(code) not in source.names:
        raise RejectedError(f"the recipe says nothing about names of {len(code)} digits")
    for digits, properties in source.names.items():
        if digits <= len(code):
            th, en = (_text(feature.properties[name]) for name in (properties.th, properties.en))
            if not (th and en):
                raise RejectedError(f"a name of {code[:digits]} is missing: {properties.th}, {properties.en}")
            yield code[:digits], Names(th=th, en=en)


def _text(value: Any) -> str:
    """Return the value on one line; a file knows several ways to say that there is none."""
    return " ".join(value.split())[:200] if isinstance(value, str) else ""
