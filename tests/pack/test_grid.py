"""The grid answers as plain shapely does, also on borders, at corners and on the edges of its own cells."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from shared.pack.grid import Grid, Indices
from shared.pack.gridding import STEP, gridded
from shared.pack.jurisdiction import load_jurisdiction

Points = list[list[float]]
Shapes = Sequence[BaseGeometry]
Maker = Callable[[], Shapes]
DICE = 20261123


def demo() -> Shapes:
    """The districts of the demonstration pack."""
    return list(load_jurisdiction().areas.values())


def ragged() -> Shapes:
    """Sixty areas that tile a province, their corners anywhere."""
    sites = np.random.default_rng(DICE).uniform((100.6, 15.3), (101.8, 17.2), (60, 2))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(sites)))
    return list(shapely.intersection(cells, shapely.box(100.5, 15.2, 101.9, 17.3)))


def overlapping() -> Shapes:
    """Circles and rings over one another, as zones may be."""
    centres = np.random.default_rng(DICE).uniform((101.0, 16.0), (101.3, 16.3), (40, 2))
    circles = [shapely.Point(*centre).buffer(0.004 + 0.002 * n) for n, centre in enumerate(centres)]
    return [c if n % 2 else shapely.difference(c, c.buffer(-0.003)) for n, c in enumerate(circles)]


def anywhere(shapes: Shapes, count: int) -> Points:
    """Points in and around the shapes."""
    west, south, east, north = shapely.total_bounds(shapes)
    low, high = (west - 0.1, south - 0.1), (east + 0.1, north + 0.1)
    found: Points = np.random.default_rng(DICE).uniform(low, high, (count, 2)).tolist()
    return found


def on_borders(shapes: Shapes, each: int) -> Points:
    """Corners of every shape, points along its sides, and the same moved by less than a millimetre."""
    dice = np.random.default_rng(DICE)
    found: Points = []
    for shape in shapes:
        corners = shapely.get_coordinates(shape)
        which = dice.integers(0, len(corners) - 1, each)
        along = corners[which] + dice.uniform(0, 1, (each, 1)) * (corners[which + 1] - corners[which])
        for exact in (corners, along):
            found += exact.tolist() + (exact + dice.uniform(-1e-9, 1e-9, exact.shape)).tolist()
    return found


def on_edges(grid: Grid, shapes: Shapes, count: int) -> Points:
    """Points on edges and corners of the grid's own cells, and one rounding step beside them."""
    west, south, east, north = shapely.total_bounds(shapes)
    columns = np.random.default_rng(DICE).integers(0, int((east - west) / STEP), count)
    rows = np.random.default_rng(DICE + 1).integers(0, int((north - south) / STEP), count)
    lon, lat = grid.west + columns * grid.step, grid.south + rows * grid.step
    points = np.stack([lon, lat], axis=1)
    return [*points.tolist(), *np.nextafter(points, 0).tolist(), *np.nextafter(points, 999).tolist()]


def plainly(shapes: Shapes, points: Points) -> list[set[int]]:
    """What shapely itself says, from the shapes alone."""
    found: list[set[int]] = [set() for _ in points]
    hits = shapely.STRtree(shapes).query(shapely.points(points), predicate="intersects")
    for point, shape in hits.T.tolist():
        found[point].add(shape)
    return found


def asked(grid: Grid, point: list[float]) -> Indices:
    """What the grid says."""
    lon, lat = point
    return grid.around(lon, lat, grid.cell(lon, lat))


@pytest.mark.parametrize("make", [demo, ragged, overlapping])
def test_the_grid_agrees_with_shapely_at_every_point(make: Maker) -> None:
    shapes = make()
    grid = gridded(shapes, (0.0015, 0.0014))
    points = anywhere(shapes, 6000) + on_borders(shapes, 4000 // len(shapes)) + on_edges(grid, shapes, 700)
    assert len(points) > 15_000
    expected = plainly(shapes, points)
    assert sum(len(found) > 1 for found in expected) > 50
    for point, found in zip(points, expected, strict=True):
        answer = asked(grid, point)
        assert set(answer) == found, point
        assert len(answer) == len(found)


@pytest.mark.parametrize("make", [demo, ragged, overlapping])
def test_a_shape_within_the_margin_of_a_point_is_never_missing_from_its_cell(make: Maker) -> None:
    shapes, margin = make(), 0.0014
    grid = gridded(shapes, (margin, margin))
    points = anywhere(shapes, 3000) + on_borders(shapes, 20)
    hits = shapely.STRtree(shapes).query(shapely.points(points), predicate="dwithin", distance=margin)
    for number, shape in hits.T.tolist():
        cell = grid.cell(*points[number])
        assert shape in (*cell.covering, *cell.crossing, *cell.near)


def test_a_shape_whose_border_runs_along_the_cells_loses_no_point_to_rounding() -> None:
    anchors = [shapely.box(100.6, 15.3, 100.61, 15.31), shapely.box(101.7, 17.1, 101.8, 17.2)]
    lattice = gridded(anchors)
    corners = [(lattice.west + n * STEP, lattice.south + (n + n % 3) * STEP) for n in range(3, 230, 2)]
    shapes = [*anchors, *(shapely.box(x, y, x + STEP, y + STEP) for x, y in corners)]
    grid = gridded(shapes)
    assert (grid.west, grid.south) == (lattice.west, lattice.south)
    exact = np.concatenate([shapely.get_coordinates(shape) for shape in shapes])
    points: Points = [p for by in (-1e-13, 0, 1e-13) for p in (exact + by).tolist()]
    for point, found in zip(points, plainly(shapes, points), strict=True):
        assert set(asked(grid, point)) == found


def test_what_is_too_wide_for_fine_cells_gets_coarser_ones_and_the_same_answers() -> None:
    shapes = [shapely.box(-170, -80, 10.1, 33.3), shapely.box(10.1, 33.3, 175, 85)]
    grid = gridded(shapes)
    assert grid.step > STEP
    for point in [
        [-170.0, -80.0],
        [-169.9, -79.7],
        [-169.95, -79.9],
        [174.9, 84.5],
        [175.0, 85.0],
        [0.0, 0.0],
    ]:
        assert [set(asked(grid, point))] == plainly(shapes, [point])


@pytest.mark.parametrize("point", [[-180.0, -90.0], [180.0, 90.0], [0.0, 0.0]])
def test_far_away_there_is_nothing(point: list[float]) -> None:
    assert asked(gridded(demo()), point) == ()
    assert asked(gridded([]), point) == ()


@settings(max_examples=200, deadline=None)
@given(st.floats(-170, 170), st.floats(-80, 80), st.floats(-0.03, 0.03), st.floats(-0.03, 0.03))
def test_any_point_in_or_beside_any_box_agrees_with_shapely(
    lon: float, lat: float, right: float, above: float
) -> None:
    box = shapely.box(lon, lat, lon + 0.02, lat + 0.013)
    grid = gridded([box])
    for point in [[lon + right, lat + above], [lon + right, lat], *shapely.get_coordinates(box).tolist()]:
        assert [set(asked(grid, point))] == plainly([box], [point])
