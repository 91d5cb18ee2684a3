"""San Francisco's fire calls as the city publishes them: one row per unit sent, several per incident."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

CITY_TIME = ZoneInfo("America/Los_Angeles")
WRITTEN = "%m/%d/%Y %I:%M:%S %p"


@dataclass(frozen=True, slots=True)
class Sent:
    """A unit that went, and when; None where that was never recorded."""

    unit: str
    kind: str
    at: datetime
    """When it was dispatched."""
    en_route: datetime | None
    on_scene: datetime | None
    free: datetime | None


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident, of which the city has exactly one call. `lat`, `lon` in degrees, WGS 84."""

    number: str
    received: datetime
    entered: datetime
    """When the call taker had it in the system."""
    kind: str
    group: str
    priority: str
    """The city's final one: 3 with lights and siren, 2 without."""
    battalion: str
    station: str
    address: str
    lat: float
    lon: float
    sent: tuple[Sent, ...]


def read_calls(path: Path) -> list[Incident]:
    """Return the incidents in a CSV file, which may be gzipped, by the time of their call."""
    by_number: dict[str, list[dict[str, str]]] = {}
    for row in _rows(path):
        by_number.setdefault(row["Incident Number"], []).append(row)
    return sorted((_incident(rows) for rows in by_number.values()), key=lambda i: (i.received, i.number))


def on_day(calls: list[Incident], day: date) -> list[Incident]:
    """Return the incidents whose call came in on `day`, from midnight to midnight in the city."""
    return [call for call in calls if call.received.date() == day]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _incident(rows: list[dict[str, str]]) -> Incident:
    row = rows[0]
    lat, lon = row["Location"].strip("()").split(",")
    received, entered = _instant(row["Received DtTm"]), _instant(row["Entry DtTm"])
    assert received is not None, f"incident {row['Incident Number']} has no time"
    return Incident(
        number=row["Incident Number"],
        received=received,
        entered=entered or received,
        kind=row["Call Type"],
        group=row["Call Type Group"],
        priority=row["Final Priority"],
        battalion=row["Battalion"],
        station=row["Station Area"],
        address=row["Address"],
        lat=float(lat),
        lon=float(lon),
        sent=tuple(sorted((sent for row in rows if (sent := _sent(row))), key=lambda s: (s.at, s.unit))),
    )


def _sent(row: dict[str, str]) -> Sent | None:
    at = _instant(row["Dispatch DtTm"])
    if at is None:
        return None
    times = (_instant(row[f"{name} DtTm"]) for name in ("Response", "On Scene", "Available"))
    return Sent(row["Unit ID"], row["Unit Type"], at, *times)


def _instant(written: str) -> datetime | None:
    return datetime.strptime(written, WRITTEN).replace(tzinfo=CITY_TIME) if written else None
