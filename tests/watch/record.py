"""`python -m tests.watch.record NAME...` provokes situations on the services and records their metrics."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from deploy.local.demo.day import load_day
from deploy.local.demo.hook import Hook
from deploy.local.demo.running import app, running
from deploy.local.demo.world import ROOT, World
from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from tests.watch.scrape import Recorder
from tests.watch.situations import DISK, SITUATIONS, Scene, Situation

RECORDINGS = Path(__file__).parent / "recordings"
DISK_BYTES = 16 << 20


def main() -> int:
    """Record the situations named, or all, at once: each takes minutes and little work. 0 when done."""
    names = sys.argv[1:] or list(SITUATIONS)
    if len(names) > 1:
        started = [subprocess.Popen([sys.executable, "-m", "tests.watch.record", name]) for name in names]
        return max(process.wait() for process in started)
    [name] = names
    with tempfile.TemporaryDirectory(prefix=f"ruamjai-{name}-", ignore_cleanup_errors=True) as folder:
        asyncio.run(record(name, SITUATIONS[name], Path(folder)))
    return 0


async def record(name: str, situation: Situation, folder: Path) -> None:
    """Play one situation and write its recording."""
    day, hook = load_day(), Hook(0)
    receiver = await asyncio.start_server(hook.answer, "127.0.0.1", 0)
    settings = dict(situation.settings)
    with disk(folder, wanted=name == "store_full") as place:
        if place:
            settings[DISK] = str(place)
        world_of = running(
            day, folder, receiver.sockets[0].getsockname()[1], None, start=program(situation), extra=settings
        )
        async with receiver, httpx.AsyncClient(timeout=10) as client:
            with world_of as world, probing(world) as (probe, url):
                hook.secret = world.credentials.signing
                targets = {service: world.health(service) for service in world.processes} | {"probe": url}
                recorder = Recorder(targets, lambda: filesystem(place))
                task = asyncio.create_task(recorder.run())
                try:
                    await situation.play(Scene(day, world, hook, probe, recorder, client))
                finally:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task
                RECORDINGS.mkdir(exist_ok=True)
                recorder.write(RECORDINGS / f"{name}.yml")
                print(name, recorder.marks, f"{len(recorder.series)} series", flush=True)


def program(situation: Situation) -> Callable[[str], Sequence[str]]:
    """How a situation runs its services."""

    def start(service: str) -> Sequence[str]:
        text = situation.programs.get(service)
        return ["-c", text] if text else app(service)

    return start


@contextmanager
def probing(world: World) -> Iterator[tuple[ServerProcess, str]]:
    """The probe beside the services."""
    port = free_port()
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "KAFKA_URL": world.kafka,
        "INTAKE_URL": world.api("intake"),
        "HTTP_PORT": str(port),
    }
    command = [sys.executable, "-m", "services.probe.app"]
    process = ServerProcess(command, world.folder / "probe.log", environ)
    process.start()
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.stop()


@contextmanager
def disk(folder: Path, *, wanted: bool) -> Iterator[Path | None]:
    """A small file system of its own, for those who may mount one."""
    if not wanted:
        yield None
        return
    place, image = folder / "disk", folder / "image"
    place.mkdir()
    image.write_bytes(bytes(DISK_BYTES))
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def filesystem(place: Path | None) -> Mapping[str, float]:
    """What a node exporter says of a file system."""
    if place is None:
        return {}
    found = os.statvfs(place)
    labels = '{fstype="ext4", instance="node-0", mountpoint="/var/lib/ruamjai"}'
    return {
        f"node_filesystem_avail_bytes{labels}": float(found.f_bavail * found.f_frsize),
        f"node_filesystem_size_bytes{labels}": float(found.f_blocks * found.f_frsize),
    }


if __name__ == "__main__":
    main()
