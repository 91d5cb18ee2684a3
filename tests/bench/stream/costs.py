"""What every process of the system burns and holds: read from outside, from the operating system."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

MB = 1024 * 1024
MARKS = {
    "services.intake.app": "intake",
    "services.geo.app": "geo",
    "services.dispatch.app": "dispatch",
    "services.notify.app": "notify",
    "kafka.Kafka": "broker",
    "ferretdb": "store server",
}
NAMES = tuple(MARKS.values())
SERVERS = ("broker", "store server")


@dataclass(frozen=True)
class Costs:
    """By process: CPU seconds since its start (user and system, all threads), resident memory in MB."""

    cpu: Mapping[str, float]
    rss: Mapping[str, float]

    def since(self, before: "Costs") -> dict[str, float]:
        """Return the CPU seconds burnt since `before`."""
        return {name: self.cpu[name] - before.cpu[name] for name in self.cpu}


def costs(folder: Path) -> Costs:
    """Return those of the services this process has started, and of the servers whose data is in `folder`."""
    cpu, rss = dict[str, float](), dict[str, float]()
    for process in psutil.Process().children(recursive=True):
        try:
            name = _name(process.cmdline(), folder)
            times, memory = process.cpu_times(), process.memory_info()
        except psutil.NoSuchProcess:
            continue
        if name:
            cpu[name] = cpu.get(name, 0.0) + times.user + times.system
            rss[name] = rss.get(name, 0.0) + memory.rss / MB
    return Costs(cpu, rss)


def _name(command: list[str], folder: Path) -> str | None:
    words = " ".join(command)
    name = next((name for mark, name in MARKS.items() if mark in words), None)
    return name if name not in SERVERS or f"{folder}/" in words else None
