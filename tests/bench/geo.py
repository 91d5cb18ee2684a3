"""A country's map: what building and loading its pack takes, and how many points a second geo places."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from services.geo.atlas import Atlas
from shared.contracts.values import GeoPoint
from shared.pack.building.build import build
from shared.pack.index import INDEX
from shared.pack.jurisdiction import load_jurisdiction
from tests.bench.machine import peak_rss_mb
from tests.bench.maps import made
from tests.bench.tables import Row

POINTS = 200_000
ROUNDS = 5
BATCH = 1000
REAL_RECIPE = Path(__file__).parents[1] / "pack/country.yaml"


def measure_maps(folder: Path, scale: float) -> list[Row]:
    """Return a row for the made-up country, and one for the file that RUAMJAI_MAP names, if it names one."""
    maps = {"tessellation": made(folder)}
    if real := os.environ.get("RUAMJAI_MAP"):
        maps["RUAMJAI_MAP"] = Path(real), REAL_RECIPE
    return [_row(name, *files, folder / name, scale) for name, files in maps.items()]


def _row(name: str, boundaries: Path, recipe: Path, pack: Path, scale: float) -> Row:
    built = _apart("build", boundaries, recipe, pack)
    fast = _apart("load", pack)
    points = _apart("points", pack, max(BATCH, int(POINTS * scale)))
    (pack / INDEX).rename(pack.parent / INDEX)
    slow = _apart("load", pack)
    return {
        "map": name,
        "areas": built["areas"],
        "vertices": built["vertices"],
        "build s": built["s"],
        "build MB": built["MB"],
        "load s, no index": slow["s"],
        "load MB, no index": slow["MB"],
        "load s": fast["s"],
        "load MB": fast["MB"],
        "one by one /s": f"{points['one']:,}",
        "by 1,000 /s": f"{points['thousand']:,}",
        "all at once /s": f"{points['all']:,}",
    }


def _apart(what: str, *arguments: object) -> dict[str, Any]:
    """Return what a process of its own says, so that its peak memory is of this alone."""
    command = [sys.executable, "-m", "tests.bench.geo", what, *map(str, arguments)]
    found: dict[str, Any] = json.loads(subprocess.check_output(command))
    return found


def _built(boundaries: str, recipe: str, pack: str) -> dict[str, object]:
    start = time.perf_counter()
    found, report = build(Path(boundaries), Path(recipe), Path(pack))
    seconds = time.perf_counter() - start
    if found is None:
        raise SystemExit("\n".join(report.lines()))
    vertices = int(shapely.get_num_coordinates(list(found.areas.values())).sum())
    return {"areas": len(found.areas), "vertices": vertices, "s": round(seconds, 1), "MB": peak_rss_mb()}


def _loaded(pack: str) -> dict[str, object]:
    start = time.perf_counter()
    Atlas(load_jurisdiction(Path(pack)))
    return {"s": round(time.perf_counter() - start, 2), "MB": peak_rss_mb()}


def _placed(pack: str, count: str) -> dict[str, object]:
    jurisdiction = load_jurisdiction(Path(pack))
    atlas, points = Atlas(jurisdiction), _inside(list(jurisdiction.areas.values()), int(count))
    slices = [points[at : at + BATCH] for at in range(0, len(points), BATCH)]
    few = points[: len(points) // 4]
    return {
        "one": _rate(len(few), lambda: [atlas.spot(point) for point in few]),
        "thousand": _rate(len(points), lambda: [atlas.spots(some) for some in slices]),
        "all": _rate(len(points), lambda: atlas.spots(points)),
    }


def _inside(shapes: Sequence[Any], count: int) -> list[GeoPoint]:
    """Return points spread over the areas as their ground is."""
    dice = np.random.default_rng(1)
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    drawn = dice.uniform((west, south), (east, north), (4 * count, 2))
    hit = np.unique(shapely.STRtree(shapes).query(shapely.points(drawn), predicate="intersects")[0])
    return [GeoPoint(lon=lon, lat=lat) for lon, lat in drawn[hit][:count].tolist()]


def _rate(count: int, work: Callable[[], object]) -> int:
    """Return the median of some rounds, per second."""
    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return round(count / sorted(took)[ROUNDS // 2])


WORK: dict[str, Callable[..., dict[str, object]]] = {"build": _built, "load": _loaded, "points": _placed}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(WORK[sys.argv[1]](*sys.argv[2:])))
