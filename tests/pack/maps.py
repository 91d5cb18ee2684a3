"""A small boundary file and its recipe, as an agency might hold them, for tests to spoil and to translate."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import shapely
import yaml
from click.testing import CliRunner, Result

from shared.cli import main
from tests.pack.packs import Json, collection, square

COLUMNS = ["ID", "NAME_TH", "NAME_EN", "DIST_TH", "DIST_EN", "PROV_TH", "PROV_EN"]
UTM = "EPSG:32647"


def tambon(code: object, *rings: list[list[float]], th: str = "ตำบล", en: str = "Tambon") -> Json:
    """A feature with every name that the recipe asks for."""
    names = [code, f"{th}{code}", f"{en} {code}", "เมือง", "Mueang", "เพชรบูรณ์", "Phetchabun"]
    return {
        "type": "Feature",
        "properties": dict(zip(COLUMNS, names, strict=True)),
        "geometry": {"type": "Polygon", "coordinates": list(rings)},
    }


def west() -> Json:
    """One degree from 100 east and 16 north."""
    return tambon("TH670101", square(100, 16))


def east() -> Json:
    """The degree beside it."""
    return tambon("TH670102", square(101, 16))


def recipe() -> Json:
    """A triage desk, a police desk for the district, a municipal one for each sub-district."""
    return {
        "code": "made",
        "name": {"th": "ทำ", "en": "Made"},
        "triage_desk": "triage",
        "source": {
            "code": "ID",
            "prefix": "TH",
            "names": {
                2: {"th": "PROV_TH", "en": "PROV_EN"},
                4: {"th": "DIST_TH", "en": "DIST_EN"},
                6: {"th": "NAME_TH", "en": "NAME_EN"},
            },
        },
        "desks": [
            {
                "code": "triage",
                "name": {"th": "คัดกรอง", "en": "Triage"},
                "agency": "centre",
                "role": "triage",
                "point": {"lat": 16.5, "lon": 101.5},
            }
        ],
        "desk_rules": [rule("police", 4, "triage"), rule("municipal", 6, "police-{amphoe}")],
        "default_response": [{"role": "police", "kind": "patrol"}],
        "responses": {"street_light": [{"role": "municipal", "kind": "lighting"}]},
    }


def rule(role: str, level: int, partner: str) -> Json:
    """A desk of `role` for each area of a level."""
    return {
        "role": role,
        "agency": role,
        "level": level,
        "code": role + "-{code}",
        "name": {"th": "โต๊ะ{th}", "en": "{en} desk"},
        "partner": partner,
    }


def geojson(folder: Path, *features: Json) -> Path:
    """The features as GeoJSON."""
    path = folder / "areas.geojson"
    path.write_text(json.dumps(collection(*features), ensure_ascii=False), encoding="utf-8")
    return path


def in_metres(folder: Path, name: str, driver: str) -> Path:
    """Two squares of ten kilometres in UTM zone 47, side by side, in a format of GDAL's."""
    path = folder / name
    shapes = [shapely.box(x, 1_800_000, x + 10_000, 1_810_000) for x in (500_000, 510_000)]
    rows = [list(tambon(f"TH67010{n}")["properties"].values()) for n in (1, 2)]
    pyogrio.raw.write(
        path,
        np.array([shape.wkb for shape in shapes], object),
        [np.array(column, object) for column in zip(*rows, strict=True)],
        COLUMNS,
        geometry_type="Polygon",
        crs=UTM,
        driver=driver,
        encoding="UTF-8",
    )
    return path


def run(boundaries: Path, told: Json | None = None, *more: str) -> Result:
    """`ruamjai pack build`, into the folder `pack` beside the boundaries."""
    folder = boundaries.parent
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(told or recipe(), allow_unicode=True), encoding="utf-8")
    return CliRunner().invoke(
        main, ["pack", "build", str(boundaries), str(path), "--out", str(folder / "pack"), *more]
    )


def lines(result: Result, kind: str) -> list[str]:
    """What the report says was `repaired` or `rejected`."""
    return [line for line in result.output.splitlines() if line.startswith(f"{kind}: ")]


def report(folder: Path) -> Any:
    """The report that lies beside the pack."""
    return json.loads((folder / "pack/report.json").read_text(encoding="utf-8"))
