"""What an agreement's fields let through: the one place where a view loses what was not granted."""

from collections.abc import Collection
from typing import Any

from shared.contracts.agency import SharedView
from shared.contracts.delivery import WithheldField
from shared.contracts.values import GeoPoint
from shared.contracts.view import IncidentView

SEALED = "sealed"
"""Opens the sealed block through the disclosure API; nothing of it is ever on a topic."""
BLURRED = "point_blurred"
BLUR_DECIMALS = 2
"""Of a degree: about a kilometre."""
VIEW = tuple(SharedView.model_fields)
GRANTABLE = frozenset({*VIEW, BLURRED, SEALED})
"""Every field that an agreement can name."""
_NOT_GRANTED = {name: WithheldField(field=name, reason="not_granted") for name in VIEW}
_POINT_BLURRED = WithheldField(field="point", reason="blurred")
_REPORTS_ERASED = WithheldField(field="reports", reason="erased")

GENERIC = "incident.updated"
_TOLD_BY = {
    "incident.opened": frozenset[str](),
    "incident.closed": frozenset({"lifecycle"}),
    "incident.linked": frozenset({"reports"}),
    "incident.unlinked": frozenset({"reports"}),
    "task.assigned": frozenset({"tasks"}),
    "task.acknowledged": frozenset({"tasks"}),
    "task.escalated": frozenset({"tasks"}),
    "task.completed": frozenset({"tasks"}),
}
"""The fields without which the very kind of an event would tell too much; kinds not listed are not told."""


def share(view: IncidentView, granted: Collection[str]) -> tuple[dict[str, Any], tuple[WithheldField, ...]]:
    """Return the fields of the SharedView that `granted` allows, and what was withheld and why."""
    whole = _whole(view)
    shown = {name: value for name, value in whole.items() if name in granted}
    hidden = [name for name, value in whole.items() if value and name not in granted]
    withheld = [_NOT_GRANTED[name] for name in hidden]
    if BLURRED in granted and view.point is not None and "point" not in granted:
        shown["point"] = _blurred(view.point)
        withheld = [field for field in withheld if field.field != "point"]
        withheld.append(_POINT_BLURRED)
    if "reports" in granted and any(link.erased for link in view.reports):
        withheld.append(_REPORTS_ERASED)
    return shown, tuple(withheld)


def _whole(view: IncidentView) -> dict[str, Any]:
    whole = {name: getattr(view, name) for name in VIEW}
    whole["reports"] = view.linked
    return whole


def _blurred(point: GeoPoint) -> GeoPoint:
    return GeoPoint(lat=round(point.lat, BLUR_DECIMALS), lon=round(point.lon, BLUR_DECIMALS))


def happened(event_type: str, granted: Collection[str]) -> str:
    """Return `noun.verb` of an event type such as `th.ruamjai.task.assigned.v1`, as far as it may be told."""
    kind = ".".join(event_type.split(".")[2:4])
    needed = _TOLD_BY.get(kind)
    return GENERIC if needed is None or not needed <= set(granted) else kind
