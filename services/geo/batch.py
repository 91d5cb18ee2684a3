"""The exact questions about many points at once; what is answered comes as one number for each point.

Two points with the same entry of a grid and the same answers have the same things around them.
"""

import numpy as np
import shapely
from numpy.typing import NDArray

from services.geo.flat import Flat
from shared.pack.grid import Cell, Floats, Grid, Indices, Numbers, Pairs

MOST_UNDECIDED = 26
"""Shapes that a number has room for, at two bits each in what a double holds exactly."""
CLOSE, INSIDE = 1, 2


Near = tuple[Flat, float] | None
"""The same shapes in metres, and how many of these are near."""


def answers(grid: Grid, entries: Numbers, lon: Floats, lat: Floats, near: Near = None) -> NDArray[np.int64]:
    """Return for each point what it is in, and near, of the shapes its entry leaves open; see `read`."""
    found: NDArray[np.int64] = np.zeros(len(entries), np.int64)
    border = np.flatnonzero(grid.undecided[entries])
    if len(border):
        found[border] = _asked(grid, entries[border], lon[border], lat[border], near)
    return found


def read(cell: Cell, answer: int) -> tuple[Indices, Indices]:
    """Return the shapes that a point with this answer is in, and others that it is close to."""
    states = [(index, answer >> 2 * n & 3) for n, index in enumerate((*cell.crossing, *cell.near))]
    inside = tuple(index for index, state in states if state == INSIDE)
    return cell.covering + inside, tuple(index for index, state in states if state == CLOSE)


def _asked(grid: Grid, entries: Numbers, lon: Floats, lat: Floats, near: Near) -> NDArray[np.int64]:
    points, shapes, places = grid.crossing(entries)
    inside = shapely.intersects_xy(grid.shapes[shapes], lon[points], lat[points])
    total = _summed(points[inside], places[inside], INSIDE, len(entries))
    if near is not None:
        flat, metres = near
        rest = [Pairs(points[~inside], shapes[~inside], places[~inside]), grid.near(entries)]
        points, shapes, places = (np.concatenate(part) for part in zip(*rest, strict=True))
        close = flat.each_within(shapes, lon[points], lat[points], metres)
        total += _summed(points, places, close * CLOSE, len(entries))
    return total


def _summed(points: Numbers, places: Numbers, states: Numbers | int, count: int) -> NDArray[np.int64]:
    weights = np.left_shift(states, 2 * places.astype(np.int64)).astype(np.float64)
    return np.bincount(points, weights, count).astype(np.int64)
