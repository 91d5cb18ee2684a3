"""A country that nobody owns: a seeded tessellation with ragged borders, as a boundary file for the bench."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

SIDE = 86
"""Sites along each side: 86 x 86 are 7,396 areas, about what Thailand has."""
SPACING = 0.1
"""Degrees between sites."""
PER_EDGE = 34
"""Positions that a straight edge becomes: about 200 for each area."""
ROUGH = 0.04
"""How far these lie beside the edge, as a share of its length."""
RECIPE = """
code: country
name: {th: ประเทศ, en: Country}
approximate: true
triage_desk: triage
source: {code: code, names: {2: {th: th, en: en}, 4: {th: th, en: en}, 6: {th: th, en: en}}}
desks:
  - {code: triage, role: triage, agency: centre, point: {lat: 15, lon: 100}, name: {th: คัดกรอง, en: Triage}}
desk_rules:
  - {role: police, agency: police, level: 6, code: "police-{code}", name: {th: "{th}", en: "{en}"}}
default_response: [{role: police, kind: patrol}]
"""
Ring = NDArray[np.float64]


def made(folder: Path, seed: int = 1) -> tuple[Path, Path]:
    """Write the boundary file and its recipe; return both."""
    boundaries, recipe = folder / "country.geojson", folder / "country.yaml"
    features = [
        {
            "type": "Feature",
            "properties": {"code": str(100_000 + number), "th": "พื้นที่", "en": "Area"},
            "geometry": {"type": "Polygon", "coordinates": [ring.tolist()]},
        }
        for number, ring in enumerate(_rings(seed))
    ]
    boundaries.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    recipe.write_text(RECIPE, encoding="utf-8")
    return boundaries, recipe


def _rings(seed: int) -> list[Ring]:
    dice = np.random.default_rng(seed)
    lattice = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).reshape(-1, 2)
    sites = np.array([98.0, 6.0]) + SPACING * (lattice + dice.uniform(-0.3, 0.3, lattice.shape))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(sites)))
    frame = shapely.box(97.9, 5.9, 98.0 + SPACING * SIDE, 6.0 + SPACING * SIDE)
    drawn: dict[tuple[float, ...], Ring] = {}
    return [
        _ragged(shapely.get_coordinates(cell), drawn, seed) for cell in shapely.intersection(cells, frame)
    ]


def _ragged(corners: Ring, drawn: dict[tuple[float, ...], Ring], seed: int) -> Ring:
    corners = np.round(corners, 7)
    parts = [_edge(*pair, drawn, seed) for pair in pairwise(corners)]
    return np.concatenate([*(part[:-1] for part in parts), corners[:1]])


def _edge(start: Ring, end: Ring, drawn: dict[tuple[float, ...], Ring], seed: int) -> Ring:
    """Return the same ragged line for both areas that share an edge, each in its own direction."""
    there = tuple(start) < tuple(end)
    low, high = (start, end) if there else (end, start)
    key = (*low.tolist(), *high.tolist())
    if key not in drawn:
        dice = np.random.default_rng([seed, *(int(abs(value) * 1e7) for value in key)])
        share = np.linspace(0, 1, PER_EDGE)[:, None]
        beside = np.array([low[1] - high[1], high[0] - low[0]])
        off = ROUGH * dice.uniform(-1, 1, share.shape) * 4 * share * (1 - share)
        drawn[key] = np.round(low + share * (high - low) + off * beside, 7)
    return drawn[key] if there else drawn[key][::-1]
