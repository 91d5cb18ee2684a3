"""One member of the stream, in a process of its own: the real kernel, and windows in which it can be hit.

`python -m tests.crash.member ROLE NAME`; settings come from the environment as for every service, and
CRASH_PREFIX, CRASH_ORDER, CRASH_CONTROL say which run it belongs to and what it is in for.
"""

import asyncio
import os
import sys
from pathlib import Path

from shared.bus import causes, journal
from shared.bus.runtime import application
from shared.settings import load_settings
from shared.store import MongoStore
from shared.telemetry import configure_logging
from tests.crash import sabotage, windows
from tests.crash.names import World
from tests.crash.stream import service_of

# All processes share one clock. Within it few causes are old enough to be asked for, which the stand-in for
# MongoDB answers by reading the whole log.
SKEW_MS = 1_000
# It also needs milliseconds to give out a commit, and a second for what a takeover has to read by default.
SNAPSHOT_EVERY, OVERLAP = 50, 50


async def run(role: str, name: str) -> None:
    """Run as `Service.run` does, under a client id that tells which member owns what."""
    settings = load_settings(name)
    configure_logging(name, settings.log_level)
    app, _ = application(service_of(role, World(os.environ["CRASH_PREFIX"])), settings)
    await app.run()


async def _nothing_is_old(*_: object) -> int:
    """No run is as long as commits are kept; to find that out the stand-in would read the whole log."""
    return 0


def main() -> None:
    """Prepare what the run asks for, then run."""
    causes.SKEW_MS, journal.SNAPSHOT_EVERY, journal.OVERLAP = SKEW_MS, SNAPSHOT_EVERY, OVERLAP
    MongoStore.purge = _nothing_is_old  # type: ignore[method-assign,assignment]
    if control := os.environ.get("CRASH_CONTROL"):
        sabotage.CONTROLS[control]()
    windows.install(Path(os.environ["CRASH_ORDER"]))
    asyncio.run(run(sys.argv[1], sys.argv[2]))


if __name__ == "__main__":
    main()
