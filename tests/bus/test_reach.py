"""A backlog a little older than memory is recognised by reading the log further back, once."""

from collections.abc import Sequence
from datetime import UTC, datetime

from shared.bus.causes import REACH_MS, SKEW_MS, Causes
from shared.store import Commit

NOW_MS = 3_600_000


def commit(n: int, at_ms: int) -> Commit:
    return Commit("desks/0", n, at_ms, (f"cause-{n}",), b"")


class Log:
    """Gives out its commits page by page from the last to the first, and is asked for nothing else."""

    def __init__(self, *pages: list[Commit]) -> None:
        self._pages, self.read = list(pages), 0
        self.questions = list[str]()

    async def earlier(self) -> Sequence[Commit]:
        self.read += 1
        return self._pages.pop() if self._pages else []

    async def lookup(self, causes: Sequence[str]) -> set[str]:
        self.questions += causes
        return set()

    def causes(self, floor_ms: int, capacity: int = 100) -> Causes:
        causes = Causes(self.lookup, self.earlier, capacity)
        causes.floor_ms = floor_ms
        return causes


def at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


async def test_memory_is_extended_until_the_oldest_of_a_slice_is_above_its_floor() -> None:
    log = Log([commit(1, 1)], [commit(2, NOW_MS - 2 * SKEW_MS)], [commit(3, NOW_MS - SKEW_MS)])
    causes = log.causes(NOW_MS)
    await causes.recall([("cause-3", at(NOW_MS - SKEW_MS + 1)), ("new", at(NOW_MS))], NOW_MS)
    assert "cause-3" in causes
    assert "new" not in causes
    assert (log.read, log.questions) == (2, [])
    assert causes.floor_ms == NOW_MS - 2 * SKEW_MS


async def test_a_log_that_was_read_to_its_first_commit_is_never_asked_again() -> None:
    log = Log([commit(1, NOW_MS - 1)])
    causes = log.causes(NOW_MS)
    await causes.recall([("new", at(NOW_MS))], NOW_MS)
    assert (causes.floor_ms, log.questions) == (0, [])


async def test_causes_far_below_the_floor_are_asked_for_and_the_log_is_left_alone() -> None:
    log = Log([commit(1, 1)])
    causes = log.causes(NOW_MS)
    await causes.recall([("replayed", at(NOW_MS - REACH_MS - 1))], NOW_MS)
    assert (log.read, log.questions) == (0, ["replayed"])


async def test_a_log_purged_at_the_front_is_asked_for_what_is_older_than_its_rest() -> None:
    log = Log()
    causes = log.causes(NOW_MS)
    await causes.recall([("old", at(NOW_MS))], NOW_MS)
    await causes.recall([("older", at(NOW_MS - 1))], NOW_MS)
    assert (log.read, log.questions) == (1, ["old", "older"])


async def test_what_was_forgotten_in_between_is_not_jumped_over() -> None:
    log = Log([commit(1, 1)])
    causes = log.causes(NOW_MS, capacity=2)
    for n in (5, 6, 7):
        causes.remember([f"cause-{n}"], NOW_MS + n)
    await causes.recall([("cause-5", at(NOW_MS))], NOW_MS)
    assert (log.read, log.questions) == (0, ["cause-5"])
