"""One member of a service, in a process of its own: the real service, and windows in which it can be hit.

`python -m tests.crash.services.member SERVICE NAME`; settings come from the environment as for every service,
and CRASH_ORDER, CRASH_CONTROL say what it is in for.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import services.dispatch.app
import services.geo.app
import services.intake.app
import services.notify.app
from shared.bus import Service
from shared.bus.runtime import application
from shared.settings import Settings, load_settings
from shared.telemetry import configure_logging
from tests.crash import standin
from tests.crash.services import sabotage, windows

BUILDS: Mapping[str, Callable[[Settings], Service]] = {
    "intake": lambda _: services.intake.app.build(),
    "geo": services.geo.app.build,
    "dispatch": services.dispatch.app.build,
    "notify": services.notify.app.notify,
}


async def run(service: str, name: str) -> int:
    """Run as `launch` does, under a client id that tells which member owns what."""
    settings = load_settings(service)
    configure_logging(name, settings.log_level)
    declared = BUILDS[service](settings)
    app, runtime = application(declared, settings.model_copy(update={"service": name}))
    await app.run()
    return 0 if runtime.failure is None else 1


def main() -> None:
    """Prepare what the run asks for, then run."""
    standin.spare()
    service, name = sys.argv[1:]
    if control := os.environ.get("CRASH_CONTROL"):
        sabotage.CONTROLS[control]()
    windows.install(Path(os.environ["CRASH_ORDER"]), service)
    sys.exit(asyncio.run(run(service, name)))


if __name__ == "__main__":
    main()
