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
Numbers = NDArray[np.int_]

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
        """Write a shape into its cells: whole blocks where it covers them, ever smaller ones elsewhere."""
        shapely.prepare(shape)
        rows, columns, size = self._block_around(shape)
        while True:
            near = shapely.intersects(shape, self._boxes(rows, columns, size, self._margin))
            rows, columns = rows[near], columns[near]
            covering = shapely.contains_properly(shape, self._boxes(rows, columns, size, (HAIR, HAIR)))
            self._write(index, 0, rows[covering], columns[covering], size)
            rows, columns = rows[~covering], columns[~covering]
            if size == 1:
                break
            size //= 2
            rows = np.concatenate([rows, rows, rows + size, rows + size])
            columns = np.concatenate([columns, columns + size, columns, columns + size])
        crossing = shapely.intersects(shape, self._boxes(rows, columns, size, (HAIR, HAIR)))
        self._write(index, 1, rows[crossing], columns[crossing], size)
        self._write(index, 2, rows[~crossing], columns[~crossing], size)

    def _block_around(self, shape: BaseGeometry) -> tuple[Numbers, Numbers, int]:
        west, south, east, north = _bounds([shape], self._margin)
        row, column = int((south - self.south) / self.step), int((west - self.west) / self.step)
        cells = max(north - south, east - west) / self.step + 2
        return np.array([row]), np.array([column]), 1 << int(cells).bit_length()

    def _boxes(
        self, rows: Numbers, columns: Numbers, size: int, grown: tuple[float, float]
    ) -> NDArray[np.object_]:
        west, south = self.west + columns * self.step, self.south + rows * self.step
        east, north = west + size * self.step, south + size * self.step
        return shapely.box(west - grown[0], south - grown[1], east + grown[0], north + grown[1])

    def _write(self, index: int, part: int, rows: Numbers, columns: Numbers, size: int) -> None:
        """Add a shape to one part of all cells of the blocks; cells alike share an entry of the table."""
        down, right = np.indices((size, size)).reshape(2, -1) if len(rows) else np.zeros((2, 0), int)
        rows, columns = (rows[:, None] + down).ravel(), (columns[:, None] + right).ravel()
        height, width = self._raster.shape
        known = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        rows, columns = rows[known], columns[known]
        before, which = np.unique(self._raster[rows, columns], return_inverse=True)
        after = [self._entry(self._cells[number], index, part) for number in before.tolist()]
        self._raster[rows, columns] = np.array(after, np.int32)[which]

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
