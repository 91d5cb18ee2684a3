"""What members are spared because the store is a stand-in for MongoDB that reads whole collections."""

from shared.bus import causes, journal
from shared.store import MongoStore

# All processes share one clock. Within it few causes are old enough to be asked for, which the stand-in for
# MongoDB answers by reading the whole log.
SKEW_MS = 1_000
# It also needs milliseconds to give out a commit, and a second for what a takeover has to read by default.
SNAPSHOT_EVERY, OVERLAP = 50, 50


def spare() -> None:
    """Change the figures of this process that the stand-in cannot bear."""
    causes.SKEW_MS, journal.SNAPSHOT_EVERY, journal.OVERLAP = SKEW_MS, SNAPSHOT_EVERY, OVERLAP
    MongoStore.purge = _nothing_is_old  # type: ignore[method-assign,assignment]


async def _nothing_is_old(*_: object) -> int:
    """No run is as long as commits are kept; to find that out the stand-in would read the whole log."""
    return 0
