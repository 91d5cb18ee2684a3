"""What the judge goes by: what reporters were answered, and raw bytes that independent clients read."""

import re
import sqlite3
import zlib
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from deploy.local.demo.day import Day
from deploy.local.demo.play import Stage
from deploy.local.demo.reporters import Sent
from deploy.local.demo.tally import Tally
from deploy.local.demo.witness import Seen
from deploy.local.demo.world import KEYS, SERVICES, World

SQLITE = b"SQLite format 3"
BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}")
INDEXES = {".index", ".timeindex"}
"""Kafka's, of which each partition has two of 10 MB: numbers where a record begins, and holes."""


@dataclass
class Evidence:
    """All of it. `files` are names and contents of what the services wrote, `traces` what they exported.

    `expires` ends one agreement.
    """

    day: Day
    reports_sent: int
    accepted: Sequence[Sent]
    rejected: Sequence[tuple[str, int, int]]
    """Why it had to be refused, with what status, and with what it was."""
    records: Sequence[Seen]
    partners: Mapping[str, Sequence[Seen]]
    hooked: Sequence[str]
    """Ids of the events that the webhook's receiver took, in order."""
    bodies: Sequence[bytes]
    expires: datetime
    files: Mapping[str, bytes] = field(default_factory=dict)
    traces: Sequence[bytes] = ()
    troubles: Sequence[str] = ()
    repeated: int = 0
    refused: Sequence[str] = ()
    """How rightful requests were answered that had to be sent again."""

    @cached_property
    def first(self) -> list[Seen]:
        """The records without repeats."""
        found: dict[tuple[str, str], Seen] = {}
        for number, record in enumerate(self.records):
            found.setdefault((record.topic, record.id or str(number)), record)
        return list(found.values())

    @cached_property
    def tally(self) -> Tally:
        """The records, counted."""
        found = Tally()
        for record in self.records:
            found.hear(record)
        return found

    @cached_property
    def incidents(self) -> list[tuple[Seen, dict[str, Any]]]:
        """The numbered events of the canonical stream, with their bodies."""
        found = [(r, r.data) for r in self.first if r.topic == "incidents"]
        return [(r, data) for r, data in found if data.get("view")]

    @cached_property
    def views(self) -> dict[str, dict[str, Any]]:
        """The last body of each incident."""
        return {data["incident_id"]: data for _, data in self.incidents}

    def shared(self, agency: str) -> list[tuple[Seen, dict[str, Any]]]:
        """What an agency was told of incidents, without repeats."""
        unique = {r.id: r for r in self.partners[agency] if r.kind == "incident.shared"}
        return [(r, r.data) for r in unique.values()]


def gather(stage: Stage) -> Evidence:
    """Return what a stage has seen, and what its services have written."""
    return Evidence(
        day=stage.day,
        reports_sent=stage.reporters.sent,
        accepted=stage.reporters.accepted,
        rejected=[(wrong.why, wrong.status, status) for wrong, status in stage.reporters.rejected],
        repeated=stage.reporters.repeated,
        refused=stage.reporters.refused,
        records=stage.witness.seen,
        partners={code: reader.seen for code, reader in stage.partners.items()},
        hooked=[event["id"] for event in stage.hook.got],
        bodies=stage.hook.bodies,
        expires=stage.expires,
        files=written(stage.world.folder) | dict(databases(stage.world)),
        troubles=stage.troubles + (["a webhook was wrongly signed"] if stage.hook.forged else []),
    )


def written(folder: Path) -> dict[str, bytes]:
    """Return what is in each file under `folder`, by its path there."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in INDEXES]
    return {str(path.relative_to(folder)): content(path) for path in paths}


def content(path: Path) -> bytes:
    """Return what is in a file; of a store also what it keeps compressed or in base64."""
    try:
        found = path.read_bytes()
    except OSError:  # a store's temporary file that is gone by now
        return b""
    return found + b"\n".join(_cells(path)) if found.startswith(SQLITE) else found


def databases(world: World) -> Iterator[tuple[str, bytes]]:
    """Yield what is in each database of a run on a server, whose files may be elsewhere."""
    if world.mongo is None:
        return
    with MongoClient[RawBSONDocument](world.mongo, document_class=RawBSONDocument) as client:
        for name in (*SERVICES, KEYS):
            base = client[world.database(name)]
            rows = [row for kind in base.list_collection_names() for row in base[kind].find()]
            bodies = [value for row in rows for value in row.values() if isinstance(value, bytes)]
            packed = (inner for body in bodies for inner in unpacked(body))
            yield f"database {name}", b"\n".join([*(row.raw for row in rows), *packed])


def _cells(path: Path) -> Iterator[bytes]:
    """Yield what is packed in every value of every table."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
        for (table,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in store.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a name from the file itself
                for cell in row:
                    yield from unpacked(cell if isinstance(cell, bytes) else str(cell).encode())


def unpacked(packed: bytes) -> Iterator[bytes]:
    """Yield what is compressed or written in base64 in `packed`, and what is packed in that."""
    with suppress(zlib.error):
        yield (inner := zlib.decompress(packed))
        yield from unpacked(inner)
    for text in BASE64.findall(packed):
        whole = text[:-1] if len(text) % 4 == 1 else text
        yield (inner := b64decode(whole + b"=" * (-len(whole) % 4)))
        yield from unpacked(inner)
