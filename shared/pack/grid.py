"""Which shapes a point is in: a grid says what is certain, and only the rest is computed, exactly.

Every cell knows the shapes that cover it whole, those that cross it, and those that come near it. Most points
fall into cells that nothing crosses, and cost one look into a table.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

Indices = tuple[int, ...]
Numbers = NDArray[np.integer]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]


class Cell(NamedTuple):
    """What there is in and around a cell, as indices of shapes; each shape is in at most one of the three."""

    covering: Indices = ()
    crossing: Indices = ()
    near: Indices = ()


class Pairs(NamedTuple):
    """Points with shapes that they must be compared with: entry by entry, by point, in the cell's order."""

    points: Numbers
    shapes: Numbers
    places: Numbers
    """Which one it is of those that the point's cell names, from 0."""


@dataclass(frozen=True)
class Grid:
    """Cells of `step` degrees from `west` and `south`; made by `gridded`.

    `raster` holds the number of each cell's entry, 0 being that of nothing. Entry n names the shapes
    `ids[bounds[n, 0]:bounds[n, 3]]`: covering ones up to `bounds[n, 1]`, crossing ones up to `bounds[n, 2]`,
    then near ones.
    """

    shapes: Shapes
    west: float
    south: float
    step: float
    raster: NDArray[np.int32]
    ids: NDArray[np.int32]
    bounds: NDArray[np.int32]

    def cell(self, lon: float, lat: float) -> Cell:
        """Return what is known of the cell around a point."""
        return self.entry(self.number(lon, lat))

    def number(self, lon: float, lat: float) -> int:
        """Return the number of the entry of the cell around a point."""
        row, column = (lat - self.south) / self.step, (lon - self.west) / self.step
        rows, columns = self.raster.shape
        if not (0 <= row < rows and 0 <= column < columns):
            return 0
        return self.raster.item(int(row), int(column))

    def entry(self, number: int) -> Cell:
        """Return what an entry names."""
        known = self._entries[number]
        if known is None:
            start, covering, crossing, end = self.bounds[number].tolist()
            ids = tuple(self.ids[start:end].tolist())
            known = Cell(
                ids[: covering - start], ids[covering - start : crossing - start], ids[crossing - start :]
            )
            self._entries[number] = known
        return known

    def around(self, lon: float, lat: float, cell: Cell) -> Indices:
        """Return the shapes a point of `cell` is in; one on a border is in all that meet there."""
        if not cell.crossing:
            return cell.covering
        crossing = cell.crossing
        return cell.covering + tuple(i for i in crossing if shapely.intersects_xy(self.shapes[i], lon, lat))

    def numbers(self, lon: Floats, lat: Floats) -> NDArray[np.int32]:
        """Return the numbers of the entries of many points' cells."""
        row, column = (lat - self.south) / self.step, (lon - self.west) / self.step
        rows, columns = self.raster.shape
        known = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        if not known.all():
            row, column = np.where(known, row, 0), np.where(known, column, 0)
        found = self.raster[row.astype(np.intp), column.astype(np.intp)]
        return found if known.all() else np.where(known, found, np.int32(0))

    def crossing(self, numbers: Numbers) -> Pairs:
        """Return every point, given by its entry's number, with the shapes that cross its cell."""
        return self._pairs(numbers, 1, 2)

    def near(self, numbers: Numbers) -> Pairs:
        """Return every point, given by its entry's number, with the shapes that are near its cell."""
        return self._pairs(numbers, 2, 3)

    def _pairs(self, numbers: Numbers, first: int, last: int) -> Pairs:
        starts, counts = self.bounds[numbers, first], self.bounds[numbers, last] - self.bounds[numbers, first]
        points = np.repeat(np.arange(len(numbers)), counts)
        offsets = np.arange(len(points)) - np.repeat(np.cumsum(counts) - counts, counts)
        positions = starts[points] + offsets
        return Pairs(points, self.ids[positions], positions - self.bounds[numbers, 1][points])

    @cached_property
    def undecided(self) -> NDArray[np.int32]:
        """For each entry, how many shapes cross it or are near."""
        counts: NDArray[np.int32] = self.bounds[:, 3] - self.bounds[:, 1]
        return counts

    @cached_property
    def _entries(self) -> list[Cell | None]:
        return [None] * len(self.bounds)
