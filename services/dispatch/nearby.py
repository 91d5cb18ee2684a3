"""Which incidents have a report near a place, without looking at all the others; follows from the state."""

from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from math import cos, floor, radians

from services.dispatch.geometry import FAR_LATITUDE
from services.dispatch.layer import Layer
from services.dispatch.told import Told
from shared.contracts.values import GeoPoint

Cell = tuple[int, int]
Place = GeoPoint | None


@dataclass(slots=True)
class Nearby:
    """An index of the reports that incidents hold. What is within 500 m is in a cell or in one next to it."""

    cells: MutableMapping[Cell, tuple[str, ...]] = field(default_factory=dict)
    holders: MutableMapping[str, str] = field(default_factory=dict)
    """The incident that holds a report, by the report's id."""
    silent: set[str] = field(default_factory=set)
    """Incidents of which no report is known any more: compared by what their view says, wherever they are."""

    def fork(self) -> "Nearby":
        """Return a copy to change while this one stays as it is."""
        return Nearby(Layer(self.cells), Layer(self.holders), set(self.silent))

    def retell(self, incident_id: str, before: Sequence[Told], after: Sequence[Told]) -> None:
        """Note that an incident that held the reports `before` holds `after`."""
        old = {told.report_id: told.point for told in before}
        new = {told.report_id: told.point for told in after}
        for report_id, point in old.items():
            if report_id not in new or new[report_id] != point:
                self._remove(incident_id, report_id, point)
        for report_id, point in new.items():
            if report_id not in old or old[report_id] != point:
                self._add(incident_id, report_id, point)

    def around(self, point: GeoPoint) -> set[str]:
        """Return the incidents that a report at `point` may be about, and some that it cannot."""
        return {id_ for cell in _around(point) for id_ in self.cells.get(cell, ())} | self.silent

    def _add(self, incident_id: str, report_id: str, point: Place) -> None:
        self.holders[report_id] = incident_id
        if point is not None:
            cell = _cell(_row(point), point)
            self.cells[cell] = (*self.cells.get(cell, ()), incident_id)

    def _remove(self, incident_id: str, report_id: str, point: Place) -> None:
        if self.holders.get(report_id) == incident_id:
            del self.holders[report_id]
        if point is not None:
            cell = _cell(_row(point), point)
            left = list(self.cells.pop(cell))
            left.remove(incident_id)
            if left:
                self.cells[cell] = tuple(left)


def _around(point: GeoPoint) -> Iterator[Cell]:
    row = _row(point)
    for number in (row - 1, row, row + 1):
        _, column = _cell(number, point)
        columns = _columns(number)
        yield from {(number, (column + step) % columns) for step in (-1, 0, 1)}


def _row(point: GeoPoint) -> int:
    return floor(point.lat / FAR_LATITUDE)


def _cell(row: int, point: GeoPoint) -> Cell:
    columns = _columns(row)
    return row, floor((point.lon + 180) / 360 * columns) % columns


def _columns(row: int) -> int:
    """Return into how many cells a row is divided: as wide as high, or wider, also in the next row."""
    furthest = min(90.0, (abs(row) + 2) * FAR_LATITUDE)
    return max(1, floor(360 * cos(radians(furthest)) / FAR_LATITUDE))
