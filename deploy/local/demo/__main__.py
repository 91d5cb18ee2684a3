"""`make demo`: starts the world, plays the day, judges it; exit 0 only when all is as it must be."""

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deploy.local.demo.day import Day, load_day
from deploy.local.demo.evidence import gather
from deploy.local.demo.hook import Hook
from deploy.local.demo.judge import judge
from deploy.local.demo.picture import picture
from deploy.local.demo.play import play, stage
from deploy.local.demo.visiting import HOOK_PORT, LOGS, visiting
from deploy.local.demo.world import SECURE, World
from deploy.local.unavailable import Unavailable


def main() -> int:
    """Run the demonstration. 0: as expected; 1: something is lost, leaked or off, or cannot start."""
    options = _options()
    for stop in (signal.SIGINT, signal.SIGTERM):  # also where a shell has had the first one ignored
        signal.signal(stop, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="ruamjai-demo-", ignore_cleanup_errors=True) as folder:
            return asyncio.run(demonstrate(load_day(), Path(folder), options))
    except (Unavailable, RuntimeError, TimeoutError) as error:
        print(f"the demonstration cannot go on: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the summary")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--kafka", choices=["native", SECURE], help="start real servers")
    where.add_argument("--visit", type=Path, metavar="FILE", help="services run already; their credentials")
    parser.add_argument("--insist", action="store_true", help="send what was accepted again and again")
    parser.add_argument("--logs", action="store_true", help="with --visit: what services log is on stdin")
    return parser.parse_args()


async def demonstrate(day: Day, folder: Path, options: argparse.Namespace) -> int:
    """Play `day` with all data in `folder`; without `once` stay until Ctrl-C. Returns the exit code."""
    hook = Hook(day.hook_failures)
    address = ("0.0.0.0", HOOK_PORT) if options.visit else ("127.0.0.1", 0)  # noqa: S104 - in a container
    receiver = await asyncio.start_server(hook.answer, *address)
    with _world(day, folder, options, receiver.sockets[0].getsockname()[1]) as world:
        hook.secret = world.credentials.signing
        _addresses(world, folder)
        async with receiver, stage(day, world, hook, insist=options.insist) as found:
            async with picture(found):
                await play(found)
            if options.logs and not (folder / LOGS).stat().st_size:
                found.troubles.append("nothing of what the services logged came in")
            print(*(f"refused  {answer}" for answer in found.reporters.refused), sep="\n")
            verdict = judge(gather(found))
            print("", *verdict.lines(), sep="\n")
            print(verdict.json(), flush=True)
            if not options.once:
                with suppress(asyncio.CancelledError):
                    print("still running, until Ctrl-C", flush=True)
                    await asyncio.Event().wait()
    return 1 if verdict.problems else 0


@contextmanager
def _world(day: Day, folder: Path, options: argparse.Namespace, hook_port: int) -> Iterator[World]:
    if options.visit:
        print("waiting for the four services", flush=True)
        with visiting(day, folder, options.visit, logs=options.logs) as world:
            yield world
    else:
        from deploy.local.demo.running import running  # needs what starts servers; the image has none of it

        print("starting broker, stores and four services", flush=True)
        with running(day, folder, hook_port, options.kafka) as world:
            yield world


def _addresses(world: World, folder: Path) -> None:
    print(f"Kafka             {world.kafka}")
    print(f"reports           {world.api('intake')}/openapi.json")
    print(f"commands          {world.api('dispatch')}/openapi.json")
    print(f"disclosures       {world.api('notify')}/openapi.json")
    for name in world.ports:
        print(f"{name:<17} {world.health(name)}/metrics")
    print(f"data and logs     {folder}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
