"""The relays that are compared, and one run of one of them."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from shared.contracts.topics import dlq_of, replay_of
from tests.bench.load import Broker, time_relay

STOP_S = 30.0


@dataclass(frozen=True)
class Relay:
    """One way to pass reports on: `kind` is of `tests.bench.ours`, or a module of its own."""

    name: str
    module: str = "tests.bench.ours"
    kind: str = "each"
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of ours; `{run}` stands for a name of the run's own."""
    share: float = 1.0
    """How much of the load it gets: slow ones would take all day."""

    @property
    def ours(self) -> bool:
        """Whether the kernel runs it, until it is stopped."""
        return self.module == "tests.bench.ours"

    def command(self, kafka: str, source: str, out: str, group: str, count: int, data: Path) -> list[str]:
        """Return the command line of one run."""
        common = [sys.executable, "-m", self.module, "--in", source, "--out", out, "--group", group]
        if not self.ours:
            return [*common, "--kafka", kafka, "--count", str(count)]
        settings = {
            "KAFKA_URL": kafka,
            "HTTP_PORT": "0",
            "DATA_DIR": str(data),
            "LOG_LEVEL": "ERROR",
            **{name: value.format(run=group) for name, value in self.settings.items()},
        }
        return [*common, "--kind", self.kind, "--settings", json.dumps(settings)]


PLAIN = Relay("plain aiokafka loop", "tests.bench.baseline")
KERNEL = Relay("kernel, one event at a time")
FASTSTREAM = Relay("FastStream, decorator style", "tests.bench.faststream_default", share=0.02)


def run_once(broker: Broker, relay: Relay, source: str, count: int, data: Path) -> dict[str, float]:
    """Relay `count` records of `source` once; return seconds seen from outside and the process's own cost.

    Raises RuntimeError when the output is not exactly the input.
    """
    group, out = f"bench-{uuid4().hex[:8]}", broker.create(f"out-{uuid4().hex[:8]}")
    extra = [broker.create(name) for name in topics_of(relay, source, group)]
    command = relay.command(broker.url, source, out, group, count, data)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            seconds = time_relay(broker, process, out, group, count)
            if relay.ours:
                process.send_signal(signal.SIGTERM)
            printed, _ = process.communicate(timeout=STOP_S)
        finally:
            process.kill()
    _check(broker, out, count, exact=not relay.share < 1)
    for topic in (out, *extra):
        broker.delete(topic)
    cost = json.loads(printed.splitlines()[-1])
    return {
        "msg/s": count / seconds,
        "core-ms/msg": cost["cpu_seconds"] * 1000 / count,
        "peak MB": cost["peak_rss_mb"],
    }


def topics_of(relay: Relay, source: str, group: str) -> list[str]:
    """Return the topics `relay` needs besides its input and its output."""
    return [replay_of(group), dlq_of(source, group)] if relay.ours else []


def _check(broker: Broker, out: str, count: int, *, exact: bool) -> None:
    found = broker.count(out)
    if found.ids < count or (exact and found.records != count):
        raise RuntimeError(f"{out}: {found.records} records, {found.ids} different, expected {count}")
