"""A small sound pack as plain data, for tests to spoil: two districts side by side, one with a zone."""

import json
from pathlib import Path
from typing import Any

import yaml

from shared.pack.digest import BOUNDARIES, ZONES
from shared.pack.jurisdiction import Jurisdiction, load_jurisdiction
from shared.pack.load import FILE, PackError

Json = dict[str, Any]


def square(west: float, south: float, size: float = 1.0) -> list[list[float]]:
    """The ring of a square in degrees, counter-clockwise."""
    east, north = west + size, south + size
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def feature(key: str, name: object, *rings: list[list[float]]) -> Json:
    """A feature that is one polygon: its outer ring, then its holes."""
    return {
        "type": "Feature",
        "properties": {key: name},
        "geometry": {"type": "Polygon", "coordinates": list(rings)},
    }


def collection(*features: Json) -> Json:
    """The content of a GeoJSON file."""
    return {"type": "FeatureCollection", "features": list(features)}


def desk(code: str, role: str, *areas: str) -> Json:
    """A desk that decides for areas."""
    name, point = {"th": "โต๊ะ", "en": code}, {"lat": 16.5, "lon": 101.5}
    return {"code": code, "name": name, "agency": role, "role": role, "areas": list(areas), "point": point}


def pack_yaml() -> Json:
    """The content of `pack.yaml`."""
    return {
        "code": "small",
        "name": {"th": "เล็ก", "en": "Small"},
        "triage_desk": "triage",
        "desks": [
            desk("triage", "triage"),
            desk("west", "police", "6701"),
            desk("east", "police", "6702"),
            desk("hospital", "medical", "67"),
            desk("town", "municipal", "6702"),
        ],
        "units": [
            {
                "id": "car-1",
                "name": {"th": "รถ", "en": "Car"},
                "desk": "west",
                "kinds": ["patrol"],
                "point": {"lat": 16.5, "lon": 100.5},
            }
        ],
        "zones": [{"id": "market", "name": {"th": "ตลาด", "en": "Market"}}],
        "default_response": [{"role": "police", "kind": "patrol"}],
        "responses": {
            "fire": [{"role": "municipal", "kind": "fire"}],
            "medical_emergency": [{"role": "medical", "kind": "ambulance"}],
        },
    }


def small() -> dict[str, Json]:
    """The three files of a sound pack. West is 100 to 101 degrees east, east is 101 to 102, north of 16."""
    west, east = feature("code", "6701", square(100, 16)), feature("code", "6702", square(101, 16))
    market = feature("id", "market", square(100.9, 16.4, 0.2))
    return {FILE: pack_yaml(), BOUNDARIES: collection(west, east), ZONES: collection(market)}


def written(folder: Path, files: dict[str, Json]) -> Path:
    """Write the files; JSON is YAML as well, but people write YAML."""
    for name, content in files.items():
        text = yaml.safe_dump(content) if name == FILE else json.dumps(content)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def loaded(folder: Path, files: dict[str, Json]) -> Jurisdiction:
    """The jurisdiction that the files are."""
    return load_jurisdiction(written(folder, files))


def problems(folder: Path, files: dict[str, Json]) -> list[str]:
    """What is said to be wrong with the files; nothing when they are sound."""
    try:
        loaded(folder, files)
    except PackError as error:
        return error.problems
    return []
