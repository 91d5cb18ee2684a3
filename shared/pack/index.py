"""The grids of a pack and its shapes, made once, kept beside it in `index.npz`, and read fast.

The file says of which other files it was made; where these have changed it counts for nothing.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from shared.pack.digest import digest_of
from shared.pack.grid import Grid, Shapes
from shared.pack.gridding import HAIR, MOST_CELLS, STEP, gridded
from shared.pack.metres import metres_per_degree
from shared.pack.model import Pack

log = logging.getLogger(__name__)

INDEX = "index.npz"
FORMAT = 1
NEAR_METRES = 150.0
"""What a grid of areas counts as near."""
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Layer:
    """Shapes with their names, sorted by these, and the grid of them; its indices count these names."""

    names: tuple[str, ...]
    grid: Grid

    @classmethod
    def of(cls, shapes: Mapping[str, BaseGeometry], near_metres: float = 0.0) -> Self:
        """Return the layer of `shapes`; near is what is closer than `near_metres`."""
        names = sorted(shapes)
        margin = _margin(shapes, near_metres) if near_metres else (0.0, 0.0)
        return cls(tuple(names), gridded([shapes[name] for name in names], margin))

    @property
    def shapes(self) -> dict[str, BaseGeometry]:
        """The shapes by their name."""
        return dict(zip(self.names, self.grid.shapes.tolist(), strict=True))


@dataclass(frozen=True)
class Index:
    """The layers of a pack."""

    areas: Layer
    zones: Layer

    @classmethod
    def of(cls, areas: Mapping[str, BaseGeometry], zones: Mapping[str, BaseGeometry]) -> Self:
        """Return the index of areas by code and zones by id. Takes a second for some hundred areas."""
        return cls(Layer.of(areas, NEAR_METRES), Layer.of(zones))


def save_index(pack: Pack, index: Index, folder: Path) -> None:
    """Write `index.npz` beside the files that `pack` and `index` were made of."""
    arrays: dict[str, Any] = {**_packed("areas", index.areas), **_packed("zones", index.zones)}
    arrays["key"] = np.array(_key(folder))
    arrays["pack"] = np.frombuffer(pack.model_dump_json().encode(), np.uint8)
    new = folder / f".{INDEX}"
    with new.open("wb") as file:
        np.savez_compressed(file, **arrays)
    new.replace(folder / INDEX)


def load_index(folder: Path) -> tuple[Pack, Index] | None:
    """Return the pack and the index that `index.npz` in `folder` holds.

    None, with a line in the log, when it cannot be used.
    """
    try:
        with (folder / INDEX).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if str(arrays["key"]) == _key(folder):
                pack = Pack.model_validate_json(arrays["pack"].tobytes())
                return pack, Index(_unpacked("areas", arrays), _unpacked("zones", arrays))
    except FileNotFoundError:
        log.info("the pack has no index: `ruamjai pack index` makes one, and the next start faster")
    except Exception as error:  # noqa: BLE001  (a damaged archive can fail in any way, and is not needed)
        log.warning("the pack's index cannot be read: %s", type(error).__name__)
    else:
        log.warning("the pack's index is of other files, and is not used: `ruamjai pack index` renews it")
    return None


def _key(folder: Path) -> str:
    made_by = repr((FORMAT, STEP, MOST_CELLS, HAIR, NEAR_METRES))
    return f"{digest_of(folder)} {sha256(made_by.encode()).hexdigest()}"


def _packed(kind: str, layer: Layer) -> Arrays:
    grid = layer.grid
    wkb = [shapely.to_wkb(shape) for shape in grid.shapes.tolist()]
    found = {
        "names": np.array(layer.names, np.str_),
        "wkb": np.frombuffer(b"".join(wkb), np.uint8),
        "ends": np.cumsum([0, *map(len, wkb)]),
        "frame": np.array([grid.west, grid.south, grid.step]),
        "raster": grid.raster,
        "ids": grid.ids,
        "bounds": grid.bounds,
    }
    return {f"{kind}_{name}": array for name, array in found.items()}


def _unpacked(kind: str, arrays: Arrays) -> Layer:
    """Return a layer whose numbers all lead somewhere. Raises what numpy and GEOS raise, or ValueError."""
    wkb, ends = arrays[f"{kind}_wkb"].tobytes(), arrays[f"{kind}_ends"].tolist()
    shapes: Shapes = shapely.from_wkb(np.array([wkb[start:end] for start, end in pairwise(ends)], np.object_))
    names = tuple(arrays[f"{kind}_names"].tolist())
    raster, ids, bounds = (arrays[f"{kind}_{part}"] for part in ("raster", "ids", "bounds"))
    west, south, step = arrays[f"{kind}_frame"].tolist()
    sound = _within(raster, 2, len(bounds)) and _within(ids, 1, len(shapes))
    sound = sound and _within(bounds, 2, len(ids) + 1) and bool((np.diff(bounds) >= 0).all())
    if len(names) != len(shapes) or not sound or bounds.shape[1] != 4:
        raise ValueError("the numbers of an index lead nowhere")
    shapely.prepare(shapes)
    return Layer(names, Grid(shapes, west, south, step, raster, ids, bounds))


def _within(array: NDArray[Any], dimensions: int, end: int) -> bool:
    sound = array.dtype == np.int32 and array.ndim == dimensions
    return sound and (array.size == 0 or (int(array.min()) >= 0 and int(array.max()) < end))


def _margin(shapes: Mapping[str, BaseGeometry], metres: float) -> tuple[float, float]:
    """Return `metres` in degrees (lon, lat), rather too much than too little, wherever the shapes are."""
    furthest = max((abs(lat) for shape in shapes.values() for lat in shape.bounds[1::2]), default=0.0)
    lon_metres, lat_metres = metres_per_degree(min(furthest, 89.9))
    return 1.01 * metres / lon_metres, 1.01 * metres / min(lat_metres, 110_574.0)
