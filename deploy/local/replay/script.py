"""The file that is played: every line is read and checked before anything is sent."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, ValidationError

from services.intake.report import NewReport

LONGEST = 64 * 1024
"""Bytes of a line; intake takes no larger body."""
REASONS = 3
"""Of one line; the rest follows from them."""


class Played(NewReport):
    """A line: the body of `POST /v1/reports`, and when it came in."""

    at: AwareDatetime


@dataclass(frozen=True, slots=True)
class Line:
    """Where a report is in the file. `number` counts from 1, `offset` in bytes."""

    number: int
    at: datetime
    offset: int
    point: tuple[float, float] | None
    """Latitude and longitude."""


@dataclass(frozen=True)
class Script:
    """The reports of a file in the order of their times, and what is wrong with the others, by line."""

    path: Path
    digest: str
    lines: tuple[Line, ...]
    bad: tuple[tuple[int, str], ...]

    def body(self, line: Line) -> dict[str, Any]:
        """Return what is sent for a line: all of it but `at`."""
        with self.path.open("rb") as file:
            file.seek(line.offset)
            found: dict[str, Any] = json.loads(file.readline(LONGEST))
        del found["at"]
        return found


def read_script(path: Path) -> Script:
    """Read and check a file; blank lines count as lines and are nothing else. Raises OSError."""
    digest, good, bad = hashlib.sha256(), list[Line](), list[tuple[int, str]]()
    for number, offset, raw in _raw(path):
        digest.update(raw)
        if not raw.strip():
            continue
        found = _line(number, offset, raw)
        if isinstance(found, Line):
            good.append(found)
        else:
            bad.append((number, found))
    good.sort(key=lambda line: (line.at, line.number))
    return Script(path, digest.hexdigest(), tuple(good), tuple(bad))


def _raw(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Yield number, offset and bytes of each line; of one that is too long only the beginning."""
    with path.open("rb") as file:
        number, offset = 0, 0
        while raw := file.readline(LONGEST):
            number += 1
            yield number, offset, raw
            offset += len(raw)
            while not raw.endswith(b"\n") and (raw := file.readline(LONGEST)):
                offset += len(raw)


def _line(number: int, offset: int, raw: bytes) -> Line | str:
    """Return the line, or why it is none; the reason never holds what somebody wrote."""
    if len(raw) == LONGEST:
        return f"it is longer than {LONGEST} bytes"
    try:
        json.loads(raw)
        found = Played.model_validate_json(raw)
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)[:REASONS]
        return "; ".join(f"{'.'.join(map(str, d['loc'])) or 'line'}: {d['msg']}" for d in details)
    except (ValueError, RecursionError):
        return "it is no JSON in UTF-8"
    return Line(number, found.at, offset, (found.point.lat, found.point.lon) if found.point else None)
