"""Makes a grid of shapes: every shape is written into the cells that it covers, crosses or comes near."""

from collections.abc import Sequence
from math import sqrt

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from shared.pack.grid import Cell, Grid

Numbers = NDArray[np.int_]

STEP = 0.004
MOST_CELLS = 8_000_000
"""32 MB. What is wider than this in cells of STEP gets larger cells, and no less exact answers."""
HAIR = 1e-9
"""Degrees, a tenth of a millimetre: more than what rounding may move a point over the edge of its cell."""
NOTHING = Cell()


def gridded(shapes: Sequence[BaseGeometry], margin: tuple[float, float] = (0.0, 0.0)) -> Grid:
    """Return the grid of `shapes` (polygons); `margin` is what counts as near, in degrees (lon, lat).

    Prepares the shapes for exact questions.
    """
    return _Drawing(shapes, margin).grid()


class _Drawing:
    """A grid in the making."""

    def __init__(self, shapes: Sequence[BaseGeometry], margin: tuple[float, float]) -> None:
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

    def grid(self) -> Grid:
        """Return what was drawn, without the entries that were only passed through."""
        used, numbers = np.unique(np.append(self._raster.ravel(), np.int32(0)), return_inverse=True)
        cells = [self._cells[number] for number in used.tolist()]
        ids = np.array([index for cell in cells for part in cell for index in part], np.int32)
        ends = np.cumsum([[0, *map(len, cell)] for cell in cells], axis=1)
        ends[1:] += np.cumsum(ends[:-1, 3])[:, None]
        return Grid(
            np.array(self._shapes, np.object_),
            self.west,
            self.south,
            self.step,
            numbers[:-1].reshape(self._raster.shape).astype(np.int32),
            ids,
            ends.astype(np.int32),
        )

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
