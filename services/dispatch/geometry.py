"""Distances on the ground."""

from math import asin, cos, radians, sin, sqrt

from shared.contracts.values import GeoPoint

EARTH_METRES = 6_371_008.8
BLOCK_METRES = 500.0
"""Reports further apart than this are never about the same incident."""
FAR_LATITUDE = 0.0046
"""Degrees that are more than 500 m anywhere: most pairs need no trigonometry."""


def metres(a: GeoPoint, b: GeoPoint) -> float:
    """Return the great-circle distance in metres (haversine, mean Earth radius)."""
    lat_a, lat_b = radians(a.lat), radians(b.lat)
    across = sin(radians(b.lon - a.lon) / 2) ** 2 * cos(lat_a) * cos(lat_b)
    return 2 * EARTH_METRES * asin(min(1.0, sqrt(sin((lat_b - lat_a) / 2) ** 2 + across)))
