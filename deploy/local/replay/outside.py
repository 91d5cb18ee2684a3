"""Whether a file belongs to a pack: reports from outside of it would all go to the triage desk."""

from pathlib import Path

import shapely

from deploy.local.replay.script import Script
from shared.pack.jurisdiction import load_jurisdiction


def outside(script: Script, pack: Path | None) -> int:
    """Return how many points of a file lie in no area of the pack. Raises PackError."""
    areas = shapely.STRtree(list(load_jurisdiction(pack).areas.values()))
    points = [shapely.Point(line.point[1], line.point[0]) for line in script.lines if line.point]
    found = areas.query(points, predicate="intersects")[0] if points else ()
    return len(points) - len(set(found))
