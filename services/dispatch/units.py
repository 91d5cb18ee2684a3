"""A desk's units: which one is nearest and suitable, and what each does now."""

from services.dispatch.geometry import metres
from services.dispatch.state import UNHEARD, Task, UnitNow, want_of
from services.dispatch.turn import Turn
from shared.contracts import Status, UnitStatusChanged
from shared.contracts.unit import UnitState
from shared.contracts.values import GeoPoint
from shared.contracts.view import IncidentView
from shared.pack import UnitSpec


def unit_now(turn: Turn, unit_id: str) -> UnitNow:
    """Return what a unit of this desk does now."""
    return turn.state.units.get(unit_id, UNHEARD)


def is_idle(turn: Turn, unit_id: str) -> bool:
    """Whether a unit can be sent."""
    unit = unit_now(turn, unit_id)
    return unit.state is UnitState.AVAILABLE and unit.task_id is None


def nearest(turn: Turn, task: Task, view: IncidentView) -> UnitSpec | None:
    """Return the idle unit to send: suitable, answering, near, in this order; None when there is none."""
    goal = view.point or turn.rules.spec(turn.desk).point
    fitting = turn.rules.suitable(turn.desk, want_of(task, view))
    idle = [u for u in fitting.values() if u.id not in task.tried and is_idle(turn, u.id)]
    return min(idle, key=lambda unit: _rank(turn, unit, goal), default=None)


def _rank(turn: Turn, unit: UnitSpec, goal: GeoPoint) -> tuple[bool, float, str]:
    now = unit_now(turn, unit.id)
    return now.missed, metres(now.point or unit.point, goal), unit.id


def move(
    turn: Turn, unit_id: str, state: UnitState, task: Task | None = None, point: GeoPoint | None = None
) -> None:
    """Let a unit of this desk be in `state`, on `task` or on none."""
    turn.publish(
        UnitStatusChanged(
            unit_id=unit_id,
            desk=turn.desk,
            agency=turn.rules.spec(turn.desk).agency,
            state=state,
            changed_at=turn.now,
            incident_id=task.incident_id if task else None,
            task_id=task.task_id if task else None,
            point=point or unit_now(turn, unit_id).point,
            status=task.status if task else Status.ACTUAL,
        )
    )
