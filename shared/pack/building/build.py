"""A boundary file and a recipe in, a checked pack out, or nothing."""

import json
from pathlib import Path

from pydantic import ValidationError

from shared.pack.building.desks import desks_of
from shared.pack.building.reading import read_boundaries
from shared.pack.building.recipe import Recipe, read_recipe
from shared.pack.building.repair import named, pieces_of, united
from shared.pack.building.report import Report
from shared.pack.building.writing import Draft, boundaries_text, pack_text
from shared.pack.digest import BOUNDARIES, ZONES
from shared.pack.files import lines_of
from shared.pack.index import INDEX, Index, save_index
from shared.pack.jurisdiction import Jurisdiction, check_jurisdiction
from shared.pack.load import FILE, PackError
from shared.pack.model import Pack

REPORT = "report.json"
Built = tuple[Jurisdiction | None, Report]


def build(boundaries: Path, recipe: Path, out: Path, zones: Path | None = None) -> Built:
    """Make the pack in the folder `out`, with the polygons in the file `zones`, and say what was done to it.

    Where the report has rejections, nothing is written and there is no pack. Raises PackError when
    the recipe, or what follows from it, is wrong.
    """
    draft = Draft(out, frozenset({FILE, BOUNDARIES, ZONES, INDEX, REPORT}))
    told = read_recipe(recipe)
    found = read_boundaries(boundaries, told.source)
    report = Report(len(found.features), crs=found.crs, remarks=found.remarks)
    pieces = list(pieces_of(found.features, told.source, report))
    areas, names = united(pieces, report), named(pieces, report)
    report.areas = len(areas)
    if report.rejections:
        return None, report
    pack = _pack(told, {"desks": list(desks_of(told, areas, names)), "areas": names}, recipe.name)
    with draft as folder:
        (folder / FILE).write_text(pack_text(pack), encoding="utf-8")
        (folder / BOUNDARIES).write_text(boundaries_text(areas, names), encoding="utf-8")
        if zones is not None:
            (folder / ZONES).write_bytes(zones.read_bytes())
        (folder / REPORT).write_text(_report_text(report), encoding="utf-8")
        made = check_jurisdiction(folder)
        save_index(pack, Index.of(made.areas, made.zones), folder)
        draft.show()
    return made, report


def _pack(recipe: Recipe, made: dict[str, object], name: str) -> Pack:
    try:
        return Pack.model_validate({**recipe.model_dump(exclude={"source", "desk_rules"}), **made})
    except ValidationError as error:
        raise PackError([f"{name}: {line}" for line in lines_of(error)]) from None


def _report_text(report: Report) -> str:
    return json.dumps(report.as_json(), ensure_ascii=False, indent=1) + "\n"
