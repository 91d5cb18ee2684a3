"""The desks that follow from the areas: one for each area of a level, by rules."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from shared.pack.building.recipe import DeskRule, Recipe, filled
from shared.pack.model import Names

Json = dict[str, Any]


def desks_of(recipe: Recipe, areas: Mapping[str, BaseGeometry], names: Mapping[str, Names]) -> Iterator[Json]:
    """Yield the recipe's own desks as they are, then those of each rule by code; not validated yet."""
    yield from (desk.model_dump(mode="json") for desk in recipe.desks)
    points: dict[int, dict[str, Json]] = {}
    for rule in recipe.desk_rules:
        if rule.level not in points:
            points[rule.level] = dict(_points(rule.level, areas))
        for code, point in points[rule.level].items():
            yield _desk(rule, code, names[code], point)


def _desk(rule: DeskRule, code: str, names: Names, point: Json) -> Json:
    return {
        "code": filled(rule.code, code, names),
        "name": {"th": filled(rule.name.th, code, names), "en": filled(rule.name.en, code, names)},
        "agency": rule.agency,
        "role": rule.role,
        "areas": [code],
        "point": point,
        "partner": rule.partner and filled(rule.partner, code, names),
    }


def _points(level: int, areas: Mapping[str, BaseGeometry]) -> Iterator[tuple[str, Json]]:
    """Yield each code of a level with a point inside of its area, to about a metre."""
    parts: dict[str, list[BaseGeometry]] = defaultdict(list)
    for code, shape in areas.items():
        if len(code) >= level:
            parts[code[:level]].append(areas.get(code[:level], shape))
    for code, shapes in sorted(parts.items()):
        inside = shapely.union_all(shapes).representative_point()
        yield code, {"lat": round(inside.y, 5), "lon": round(inside.x, 5)}
