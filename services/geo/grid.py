"""Which shapes a point is in: a grid says what is certain, and only the rest is computed, exactly.

Every cell knows the shapes that cover it whole, those that cross it, and those that come near it. Most points
fall into cells that nothing crosses, and cost one look into a table.
"""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Indices = tuple[int, ...]
Flags = NDArray[np.bool_]
Degrees = NDArray[np.float64]

STEP = 0.005
MOST_CELLS = 8_000_000
"""32 MB. What is wider than this in cells of STEP gets larger cells, and no less exact answers."""
HAIR = 1e-9
"""Degrees, a tenth of a millimetre: more than what rounding may move a point over the edge of its cell."""


class Cell(NamedTuple):
    """What there is in and around a cell, as indices of shapes; each shape is in at most one of the three."""

    covering: Indices = ()
    crossing: Indices = ()
    near: Indices = ()


NOTHING = Cell()


class Grid:
    """An index of `shapes`, polygons in degrees; `margin` is what counts as near, (lon, lat) in degrees."""

    def __init__(self, shapes: Sequence[BaseGeometry], margin: tuple[float, float] = (0.0, 0.0)) -> None:
        self._shapes = shapes
        self._margin = (margin[0] + HAIR, margin[1] + HAIR)
        self._cells, self._numbers = [NOTHING], {NOTHING: 0}
        west, south, east, north = _bounds(shapes, self._margin)
        width, height = east - west, north - south
        self.west, self.south = west, south
        self.step = max(STEP, sqrt(width * height / MOST_CELLS))
        self._raster = np.zeros((int(height / self.step) + 2, int(width / self.step) + 2), np.int32)
        for index, shape in enumerate(shapes):
            self._enter(index, shape)

    def cell(self, lon: float, lat: float) -> Cell:
        """Return what is known of the cell around a point."""
        row, column = (lat - self.south) / self.step, (lon - self.west) / self.step
        rows, columns = self._raster.shape
        if not (0 <= row < rows and 0 <= column < columns):
            return NOTHING
        return self._cells[self._raster.item(int(row), int(column))]

    def around(self, lon: float, lat: float, cell: Cell) -> Indices:
        """Return the shapes a point of `cell` is in; one on a border is in all that meet there."""
        if not cell.crossing:
            return cell.covering
        crossing = cell.crossing
        return cell.covering + tuple(i for i in crossing if shapely.intersects_xy(self._shapes[i], lon, lat))

    def _enter(self, index: int, shape: BaseGeometry) -> None:
        """Write a shape into the cells it has to do with."""
        shapely.prepare(shape)
        west, south, east, north = _bounds([shape], self._margin)
        first_row, first_column = self._number(south, self.south), self._number(west, self.west)
        rows = np.arange(first_row, self._number(north, self.south) + 1)
        columns = np.arange(first_column, self._number(east, self.west) + 1)
        window = self._raster[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        left, below = np.meshgrid(self.west + columns * self.step, self.south + rows * self.step)
        near = shapely.intersects(shape, self._boxes(left, below, self._margin))
        crossing, covering = near.copy(), near.copy()
        crossing[near] = shapely.intersects(shape, self._boxes(left[near], below[near], (HAIR, HAIR)))
        covering[near] = shapely.contains_properly(shape, self._boxes(left[near], below[near], (HAIR, HAIR)))
        self._write(window, covering, index, 0)
        self._write(window, crossing & ~covering, index, 1)
        self._write(window, near & ~crossing, index, 2)

    def _number(self, degrees: float, origin: float) -> int:
        return max(0, int((degrees - origin) / self.step))

    def _boxes(self, left: Degrees, below: Degrees, grown: tuple[float, float]) -> NDArray[np.object_]:
        right, above = left + self.step + grown[0], below + self.step + grown[1]
        return shapely.box(left - grown[0], below - grown[1], right, above)

    def _write(self, window: NDArray[np.int32], where: Flags, index: int, part: int) -> None:
        """Add a shape to one part of the cells `where`: cells alike share an entry of the table."""
        before, which = np.unique(window[where], return_inverse=True)
        after = [self._entry(self._cells[number], index, part) for number in before.tolist()]
        if after:
            window[where] = np.array(after, np.int32)[which]

    def _entry(self, cell: Cell, index: int, part: int) -> int:
        parts = list(cell)
        parts[part] = (*parts[part], index)
        entry = Cell(*parts)
        number = self._numbers.setdefault(entry, len(self._cells))
        if number == len(self._cells):
            self._cells.append(entry)
        return number


def _bounds(shapes: Sequence[BaseGeometry], grown: tuple[float, float]) -> tuple[float, float, float, float]:
    if not shapes:
        return 0.0, 0.0, 0.0, 0.0
    west, south, east, north = shapely.total_bounds(list(shapes)).tolist()
    return west - grown[0], south - grown[1], east + grown[0], north + grown[1]
