"""One member of the stream, in a process of its own: the real kernel, and windows in which it can be hit.

`python -m tests.crash.member ROLE NAME`; settings come from the environment as for every service, and
CRASH_PREFIX, CRASH_ORDER, CRASH_CONTROL say which run it belongs to and what it is in for.
"""

import asyncio
import os
import sys
from pathlib import Path

from shared.bus.runtime import application
from shared.settings import load_settings
from shared.telemetry import configure_logging
from tests.crash import sabotage, standin, windows
from tests.crash.names import World
from tests.crash.stream import service_of


async def run(role: str, name: str) -> None:
    """Run as `Service.run` does, under a client id that tells which member owns what."""
    settings = load_settings(name)
    configure_logging(name, settings.log_level)
    app, _ = application(service_of(role, World(os.environ["CRASH_PREFIX"])), settings)
    await app.run()


def main() -> None:
    """Prepare what the run asks for, then run."""
    standin.spare()
    if control := os.environ.get("CRASH_CONTROL"):
        sabotage.CONTROLS[control]()
    windows.install(Path(os.environ["CRASH_ORDER"]))
    asyncio.run(run(sys.argv[1], sys.argv[2]))


if __name__ == "__main__":
    main()
