"""Whether areas tile the ground: no two claim the same, and nothing between them is left out."""

from collections.abc import Iterator, Mapping

import shapely
from shapely.geometry.base import BaseGeometry

from shared.pack.metres import metres_per_degree

SLIVER_KM2 = 0.1
"""What good outlines may disagree about: those of Thailand's sub-districts do so by up to 0.083 km²."""


def overlaps(shapes: Mapping[str, BaseGeometry]) -> Iterator[tuple[str, str, float]]:
    """Yield pairs of codes, none part of the other, and the km² that both cover, if above a sliver."""
    codes = sorted(shapes)
    outlines = [shapes[code] for code in codes]
    for one, other in shapely.STRtree(outlines).query(outlines, predicate="intersects").T.tolist():
        if one < other and not codes[other].startswith(codes[one]):
            size = km2(shapely.intersection(outlines[one], outlines[other]))
            if size > SLIVER_KM2:
                yield codes[one], codes[other], size


def holes(shapes: Mapping[str, BaseGeometry]) -> Iterator[tuple[float, float, float]]:
    """Yield latitude, longitude and km² of what the areas enclose and none of them covers."""
    whole = shapely.union_all(list(shapes.values()))
    for part in shapely.get_parts(whole).tolist():
        for ring in shapely.get_rings(part).tolist()[1:]:
            hole = shapely.Polygon(ring)
            if (size := km2(hole)) > SLIVER_KM2:
                inside = hole.representative_point()
                yield inside.y, inside.x, size


def strays(shapes: Mapping[str, BaseGeometry]) -> Iterator[tuple[str, str, float]]:
    """Yield a code, the code of the area it is part of, and the km² of it that lie outside of that."""
    for code, shape in sorted(shapes.items()):
        outer = next((code[:digits] for digits in (4, 2) if code[:digits] in shapes and code[digits:]), None)
        if outer and (size := km2(shapely.difference(shape, shapes[outer]))) > SLIVER_KM2:
            yield code, outer, size


def km2(shape: BaseGeometry, *less: BaseGeometry) -> float:
    """Return how large a shape in degrees is, or how much larger than others that lie where it lies."""
    if shape.is_empty:
        return 0.0
    lon_metres, lat_metres = metres_per_degree((shape.bounds[1] + shape.bounds[3]) / 2)
    return float((shape.area - sum(other.area for other in less)) * lon_metres * lat_metres / 1e6)
