"""Whether a unit was ever put on a task while it was on another, from what was said about it.

What is said of one unit is on several partitions, so what was decided in the same millisecond has no order.
Of such a group every order is tried in thought, and only what fits none of them is wrong.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

FREE = ""


class Units:
    """What was said of each unit, by the instant of the decision: the task it is on, or FREE."""

    def __init__(self) -> None:
        self._said: dict[str, dict[datetime, list[str]]] = defaultdict(lambda: defaultdict(list))

    def see(self, unit: str, at: datetime, task: str | None) -> None:
        """Note a first occurrence."""
        self._said[unit][at].append(task or FREE)

    def double_bookings(self) -> int:
        """Return how often a unit was on two tasks."""
        return sum(_bookings(said[at] for at in sorted(said)) for said in self._said.values())


def _bookings(groups: Iterable[list[str]]) -> int:
    wrong, now = 0, {FREE}
    for group in groups:
        after = set().union(*(_after(before, group) for before in now))
        wrong += not after
        now = after or {group[-1]}
    return wrong


def _after(before: str, group: list[str]) -> set[str]:
    """Return on what a unit can be after `group`, said in some order; nothing when no order is right."""
    tasks, frees = set(group) - {FREE}, group.count(FREE)
    if not tasks:
        return {FREE}
    needed = len(tasks) - (before == FREE or before in tasks)
    if frees < needed:
        return set()
    last = tasks - {before} if before in tasks and len(tasks) > 1 and frees == needed else tasks
    return last | ({FREE} if frees > needed else set())
