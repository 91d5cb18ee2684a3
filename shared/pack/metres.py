"""Degrees into metres, near enough for a band along a border and for the size of a gap."""

from math import cos, radians


def metres_per_degree(lat: float) -> tuple[float, float]:
    """Return how many metres a degree of longitude and one of latitude are at `lat` degrees north.

    The usual series for the WGS 84 ellipsoid, within a centimetre a degree.
    """
    phi = radians(lat)
    lon_metres = 111_412.84 * cos(phi) - 93.5 * cos(3 * phi) + 0.118 * cos(5 * phi)
    return lon_metres, 111_132.954 - 559.822 * cos(2 * phi) + 1.175 * cos(4 * phi)
