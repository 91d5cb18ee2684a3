"""Makes a jurisdiction pack of the calls: areas, the units that went, and who goes to what.

The calls have neither outlines nor run cards. A battalion's area is all that is nearer to one of its stations
than to any other; a station is in the middle of its calls; a role goes to what it went to in at least half
of the incidents of the other days.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from statistics import fmean

import shapely
from shapely.geometry.base import BaseGeometry

from shared.contracts.values import GeoPoint, Priority
from shared.pack.building.writing import boundaries_text, pack_text
from shared.pack.model import DeskSpec, Names, Pack, Response, UnitSpec
from tests.city.calls import Incident
from tests.city.triage import category_of, priority_of

CITY = "06"
MEDICAL = "medical_emergency"
ROLE = {
    "ENGINE": "engine",
    "TRUCK": "truck",
    "CHIEF": "chief",
    "MEDIC": "medic",
    "PRIVATE": "medic",
    "RESCUE SQUAD": "squad",
}
"""By kind of unit: its role. What has none, such as support, is no part of a first response."""
EVERYWHERE = ("medic", "squad")
"""Roles with one desk for the whole city; the others have one in each battalion."""
AGENCY = {"medic": "ems"}
OUT_OF_TOWN = "B99"
"""The number of what is no battalion of the city's own."""
HALF = 0.5
MARGIN = 0.05
"""Degrees around the stations that still belong to the city."""


def make_pack(calls: Sequence[Incident], before: Sequence[Incident], folder: Path) -> Pack:
    """Write a pack for `calls` into `folder`; who goes to what is learned from `before`."""
    stations = _stations([*calls, *before])
    areas = _areas(stations)
    names = {code: Names(th=f"กองพัน {code[2:]}", en=f"Battalion {code[2:]}") for code in areas}
    middles = {code: _point(shape.centroid.y, shape.centroid.x) for code, shape in areas.items()}
    responses = dict(_responses(before))
    pack = Pack(
        code="san_francisco",
        name=Names(th="ซานฟรานซิสโก", en="San Francisco"),
        approximate=True,
        triage_desk="triage-06",
        desks=tuple(_desks(middles)),
        units=tuple(_units([*calls, *before], middles)),
        responses=responses,
        default_response=responses[MEDICAL],
    )
    folder.mkdir()
    (folder / "pack.yaml").write_text(pack_text(pack), encoding="utf-8")
    (folder / "boundaries.geojson").write_text(boundaries_text(areas, names), encoding="utf-8")
    return pack


def area_of(battalion: str) -> str:
    """Return the code of a battalion's area: B02 is 0602."""
    return f"{CITY}{int(battalion[1:]):02d}"


def _stations(calls: Iterable[Incident]) -> dict[tuple[str, str], GeoPoint]:
    """Return where the stations are, by battalion and number."""
    places: dict[tuple[str, str], list[Incident]] = defaultdict(list)
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for call in calls:
        if call.battalion == OUT_OF_TOWN:
            continue
        counted[call.station][call.battalion] += 1
        places[call.station, call.battalion].append(call)
    owners = {(station, owner.most_common(1)[0][0]) for station, owner in counted.items()}
    return {(b, s): _middle(places[s, b]) for s, b in sorted(owners)}


def _areas(stations: Mapping[tuple[str, str], GeoPoint]) -> dict[str, BaseGeometry]:
    points = shapely.MultiPoint([(at.lon, at.lat) for at in stations.values()])
    box = shapely.box(*points.bounds).buffer(MARGIN, join_style="mitre")
    cells = shapely.voronoi_polygons(points, extend_to=box, ordered=True)
    parts: dict[str, list[BaseGeometry]] = defaultdict(list)
    for (battalion, _), cell in zip(stations, cells.geoms, strict=True):
        parts[area_of(battalion)].append(cell.intersection(box))
    return {code: shapely.union_all(cells) for code, cells in sorted(parts.items())}


def _desks(middles: Mapping[str, GeoPoint]) -> Iterator[DeskSpec]:
    city = _point(fmean(p.lat for p in middles.values()), fmean(p.lon for p in middles.values()))
    triage = Names(th="ศูนย์คัดกรอง", en="Triage")
    yield DeskSpec(code="triage-06", name=triage, agency="fire", role="triage", point=city)
    for role in dict.fromkeys(ROLE.values()):
        homes = {CITY: city} if role in EVERYWHERE else middles
        for code, point in homes.items():
            name = Names(th=f"{role} {code}", en=f"{role} {code}")
            agency = AGENCY.get(role, "fire")
            yield DeskSpec(
                code=f"{role}-{code}", name=name, agency=agency, role=role, areas=(code,), point=point
            )


def _units(calls: Iterable[Incident], middles: Mapping[str, GeoPoint]) -> Iterator[UnitSpec]:
    """Yield every unit that ever went and has a role, at home where it mostly worked."""
    worked: dict[tuple[str, str], list[Incident]] = defaultdict(list)
    for call in calls:
        for sent in call.sent:
            if sent.kind in ROLE and area_of(call.battalion) in middles:
                worked[sent.unit, sent.kind].append(call)
    for (unit, kind), jobs in sorted(worked.items()):
        home = Counter(area_of(call.battalion) for call in jobs).most_common(1)[0][0]
        desk = f"{ROLE[kind]}-{CITY if ROLE[kind] in EVERYWHERE else home}"
        name = Names(th=unit, en=unit)
        code = f"{kind.lower().replace(' ', '-')}-{unit}"
        yield UnitSpec(id=code, name=name, desk=desk, kinds=(ROLE[kind],), point=_middle(jobs))


def _responses(calls: Iterable[Incident]) -> Iterator[tuple[str, tuple[Response, ...]]]:
    by_category: dict[str, list[Incident]] = defaultdict(list)
    for call in calls:
        by_category[category_of(call)].append(call)
    for category, found in sorted(by_category.items()):
        shares = _shares(found)
        first = max(("engine", "truck", "medic"), key=lambda role: shares.get(role, 0))
        priorities: dict[str, list[Priority]] = defaultdict(list)
        for priority in Priority:
            same = [call for call in found if priority_of(call) is priority]
            for role, share in _shares(same).items():
                if share >= HALF:
                    priorities[role].append(priority)
        others = sorted(role for role in priorities if role != first)
        yield (
            category,
            (
                Response(role=first, kind=first),
                *(Response(role=role, kind=role, priorities=tuple(priorities[role])) for role in others),
            ),
        )


def _shares(calls: Sequence[Incident]) -> dict[str, float]:
    """Return in what share of incidents each role went."""
    went = Counter(chain.from_iterable({ROLE[s.kind] for s in call.sent if s.kind in ROLE} for call in calls))
    return {role: count / len(calls) for role, count in went.items()}


def _middle(calls: Sequence[Incident]) -> GeoPoint:
    return _point(fmean(call.lat for call in calls), fmean(call.lon for call in calls))


def _point(lat: float, lon: float) -> GeoPoint:
    return GeoPoint(lat=round(lat, 6), lon=round(lon, 6))
