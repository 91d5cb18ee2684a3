"""Writes a pack so that the same content is the same bytes, and a folder is the old one or the new one."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from shared.pack.load import PackError
from shared.pack.model import Names, Pack

UNREADABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""What JSON may hold as it is and YAML may not."""


def pack_text(pack: Pack) -> str:
    """Return `pack.yaml`: a line for each desk, unit and area. A line is JSON, which is YAML as well."""
    return "".join(f"{line}\n" for line in _lines(pack.model_dump(mode="json", exclude_defaults=True)))


def boundaries_text(areas: Mapping[str, BaseGeometry], names: Mapping[str, Names]) -> str:
    """Return `boundaries.geojson`: a line for each area, by code."""
    shapes = shapely.to_geojson(list(areas.values())).tolist()
    properties = [_json({"code": code, **names[code].model_dump()}) for code in areas]
    features = [
        f'{{"type":"Feature","properties":{told},"geometry":{shape}}}'
        for told, shape in zip(properties, shapes, strict=True)
    ]
    return '{"type":"FeatureCollection","features":[\n' + ",\n".join(features) + "\n]}\n"


class Draft:
    """A folder beside the one that is wanted, in which a pack is made and checked before it is shown.

    Raises PackError when there is something else than a pack in the place of the one that is wanted.
    """

    def __init__(self, out: Path, files: frozenset[str]) -> None:
        self._out = out.absolute()
        if self._out.exists() and not (
            self._out.is_dir() and {entry.name for entry in self._out.iterdir()} <= files
        ):
            raise PackError([f"{out}: there is something else than a pack; name another folder"])

    def __enter__(self) -> Path:
        self._out.parent.mkdir(parents=True, exist_ok=True)
        self._folder = Path(mkdtemp(prefix=f".{self._out.name}.", dir=self._out.parent))
        self._folder.chmod(0o755)
        return self._folder

    def show(self) -> None:
        """Put the folder in its place."""
        if self._out.exists():
            old = Path(mkdtemp(prefix=f".{self._out.name}.", dir=self._out.parent))
            self._out.rename(old / "old")
            self._folder.rename(self._out)
            shutil.rmtree(old)
        else:
            self._folder.rename(self._out)

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _lines(content: Mapping[str, Any]) -> Iterator[str]:
    for key, value in content.items():
        if isinstance(value, list) and value:
            yield f"{key}:"
            yield from (f"  - {_json(entry)}" for entry in value)
        elif key in ("areas", "responses"):
            yield f"{key}:"
            yield from (f"  {_json(inner)}: {_json(entry)}" for inner, entry in value.items())
        else:
            yield f"{key}: {_json(value)}"


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    return UNREADABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
