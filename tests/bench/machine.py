"""What a measurement was taken on, and what it cost: a number without these says nothing to a reader."""

import argparse
import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("aiokafka", "faststream", "pydantic", "pydantic-core", "confluent-kafka", "motor", "pymongo")
MB = 1024 * 1024


def facts(kafka: str) -> dict[str, object]:
    """Return what decides a number here; `kafka` is the broker's version, which a client cannot ask for."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MB,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "kafka": kafka,
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def peak_rss_mb() -> float:
    """Return this process's own peak memory in MB; `ru_maxrss` would count the parent it was forked from."""
    status = Path("/proc/self/status").read_text().splitlines()
    kib = next(line for line in status if line.startswith("VmHWM:")).split()[1]
    return round(int(kib) / 1024, 1)


class Meter:
    """Wall clock and CPU (user + system, all threads) of this process from the moment it is made."""

    def __init__(self) -> None:
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def line(self, msgs: int) -> str:
        """Return one JSON line: what relaying `msgs` messages has taken since then."""
        seconds = time.perf_counter() - self._wall
        cpu = time.process_time() - self._cpu
        return json.dumps(
            {
                "seconds": round(seconds, 3),
                "msgs": msgs,
                "msg_per_s": round(msgs / seconds),
                "cpu_seconds": round(cpu, 3),
                "peak_rss_mb": peak_rss_mb(),
                "core_ms_per_msg": round(cpu * 1000 / msgs, 4),
            }
        )


def relay_arguments() -> argparse.Namespace:
    """Parse the command line every relay shares: --kafka URL --in T --out T --group G --count N."""
    parser = argparse.ArgumentParser()
    for name in ("--kafka", "--out", "--group"):
        parser.add_argument(name, required=True)
    parser.add_argument("--in", dest="source", required=True)
    parser.add_argument("--count", type=int, required=True)
    return parser.parse_args()


def main() -> None:
    """Print the facts as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kafka-version", required=True)
    print(json.dumps(facts(parser.parse_args().kafka_version), indent=2))


if __name__ == "__main__":
    main()
