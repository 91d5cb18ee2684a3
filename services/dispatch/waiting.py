"""What the tasks without a unit want, counted: whether anybody idle is wanted is seen at once."""

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import NamedTuple

from services.dispatch.layer import Layer
from shared.contracts.values import Priority


class Want(NamedTuple):
    """What decides which units may go to a task."""

    role: str
    category: str
    priority: Priority


@dataclass(slots=True)
class Waiting:
    """An index of the tasks that wait; follows from the state."""

    wants: MutableMapping[str, Want] = field(default_factory=dict)
    """What each wants, by its id."""
    counts: MutableMapping[Want, int] = field(default_factory=dict)
    """How many want the same; never 0."""

    def fork(self) -> "Waiting":
        """Return a copy to change while this one stays as it is."""
        return Waiting(Layer(self.wants), Layer(self.counts))

    def note(self, task_id: str, want: Want | None) -> None:
        """Note that a task waits for `want`, or that it does not wait."""
        before = self.wants.get(task_id)
        if before == want:
            return
        if before is not None:
            self._count(before, -1)
            del self.wants[task_id]
        if want is not None:
            self._count(want, 1)
            self.wants[task_id] = want

    def _count(self, want: Want, more: int) -> None:
        count = self.counts.get(want, 0) + more
        if count:
            self.counts[want] = count
        else:
            del self.counts[want]


def role_of(task_id: str) -> str:
    """Return the role whose part a task is: task ids are `<incident>/<role>/<number>`."""
    return task_id.split("/")[-2]
