"""A whole system of its own for one measurement: broker, store, the four services, agencies, reporters."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from deploy.local.demo.day import Day, Partner, load_day
from deploy.local.demo.running import running
from deploy.local.demo.world import ROOT, World, publish
from shared.clock import SystemClock
from tests.bench.stream.costs import Costs, costs
from tests.bench.stream.receiver import Receiver, receiving

CALLERS = tuple(f"gateway:{number}" for number in range(8))
"""Each may report 500 times a second."""
AGENCY = "rescue"
"""The agency at whose topic is measured; it sees everything that is reported."""
ALL = ("road_accident", "theft", "brawl", "flood", "noise", "street_light", "stray_animal", "missing_person",
       "medical_emergency", "fire", "unknown")  # fmt: skip
LOAD = ("-c", "from shared.cli import main; main()", "load")
WARM_SECONDS, SETTLE_SECONDS = 20, 20.0
FILES_WARM, SERVER_WARM = 200, 40
"""Reports a second before anything is measured, by store. A broker burns ten times as much for a report in
its first minute, until its Java is compiled."""
SETTINGS = {"ACKNOWLEDGE_SECONDS": "600", "LOG_LEVEL": "WARNING"}
"""Nobody answers here, and nothing escalates while it is measured."""


@dataclass
class Town:
    """A running system, and how to load it."""

    world: World
    receiver: Receiver
    seed: int = 0
    """Of the last load: with the same one the same people would report the same again."""

    def load(self, rate: float, seconds: float, **options: object) -> dict[str, Any]:
        """Run `ruamjai load` and return its document. Raises CalledProcessError."""
        return finished(self.loading(rate, seconds, **options))

    def loading(self, rate: float, seconds: float, **options: object) -> "subprocess.Popen[str]":
        """Start it; `options` are those of the command."""
        self.seed += 1
        given = {"rate": rate, "seconds": seconds, "agency": AGENCY, "keys": self.keys(), "seed": self.seed}
        given |= options
        arguments = [text for name, value in given.items() for text in (f"--{name}", str(value))]
        environ = {
            **os.environ,
            "KAFKA_URL": self.world.kafka,
            "INTAKE_URL": self.world.api("intake"),
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, *LOAD, *arguments]
        folder = self.world.folder
        return subprocess.Popen(command, env=environ, cwd=folder, stdout=subprocess.PIPE, text=True)

    def keys(self, callers: Sequence[str] = CALLERS) -> Path:
        """Return a file with the keys of `callers`."""
        file = self.world.folder / "-".join(callers).replace(":", "")
        file.write_text("\n".join(self.world.credentials.keys[name] for name in callers))
        return file

    def disk(self) -> dict[str, int]:
        """Return the bytes that the broker's log and the stores take on disk."""
        folder = self.world.folder
        broker = sum(_bytes(file) for file in (folder / "kafka").rglob("*"))
        stores = [*(folder / "mongo").rglob("*"), *folder.glob("*.db*")]
        return {"broker": broker, "stores": sum(map(_bytes, stores))}

    @property
    def costs(self) -> Costs:
        """What each process has burnt so far, and holds."""
        return costs(self.world.folder)


def _bytes(file: Path) -> int:
    """Return what a file takes; the broker's index files are mostly holes."""
    try:
        return file.stat().st_blocks * 512
    except FileNotFoundError:  # gone meanwhile
        return 0


def finished(load: "subprocess.Popen[str]") -> dict[str, Any]:
    """Wait for a load and return its document. Raises CalledProcessError."""
    printed, _ = load.communicate()
    if load.returncode:
        raise subprocess.CalledProcessError(load.returncode, load.args, printed)
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


@contextmanager
def town(
    data: Path, *, files: bool = True, hooked: str = "lomsak-guard", extra: Mapping[str, str] | None = None
) -> Iterator[Town]:
    """Start everything afresh; `files`: the services keep SQLite files, otherwise a store server is theirs.

    The server that runs here is no MongoDB, and burns more CPU than all the rest together.

    The webhook of the agency `hooked` is taken by a receiver here. Raises Unavailable.
    """
    folder = data / f"town-{uuid4().hex[:8]}"
    folder.mkdir()
    day = _day(hooked)
    settings = {**SETTINGS, **(extra or {})}
    with (
        receiving() as receiver,
        running(day, folder, receiver.port, "native", files=files, callers=CALLERS, extra=settings) as world,
    ):
        publish(world, day.partners, SystemClock().now())
        found = Town(world, receiver)
        rate = FILES_WARM if files else SERVER_WARM
        found.load(rate, WARM_SECONDS, patience=SETTLE_SECONDS)  # what starts late has started, too
        yield found


def _day(hooked: str) -> Day:
    """Return the demonstration's partners, of which one sees everything and none expires."""
    day = load_day()
    partners = tuple(_partner(partner) for partner in day.partners)
    return day.model_copy(update={"partners": partners, "hooked": hooked})


def _partner(partner: Partner) -> Partner:
    changes: dict[str, object] = {"seconds": None}
    if partner.agency == AGENCY:
        changes |= {"categories": ALL, "fields": (*partner.fields, "reports")}  # or no link is told
    return partner.model_copy(update=changes)
