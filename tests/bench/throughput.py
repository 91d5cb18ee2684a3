"""How fast a backlog is relayed: every relay in turn, against the plain loop of that round."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from tests.bench.load import Broker
from tests.bench.relays import PLAIN, Relay, run_once
from tests.bench.tables import Row, medians

KEYS = 1000


def compare(broker: Broker, relays: Sequence[Relay], count: int, rounds: int, data: Path) -> list[Row]:
    """Return a row per relay: medians over `rounds`, and the ratio to the plain loop round by round."""
    source = broker.create(f"in-{uuid4().hex[:8]}")
    broker.fill(source, count, KEYS)
    few = broker.create(f"in-{uuid4().hex[:8]}")
    broker.fill(few, small(relays, count), KEYS)
    runs: dict[str, list[dict[str, float]]] = {relay.name: [] for relay in relays}
    for turn in range(rounds):
        for relay in relays:
            full = relay.share == 1
            part = count if full else small(relays, count)
            figures = run_once(
                broker, relay, source if full else few, part, data / f"{turn}-{uuid4().hex[:6]}"
            )
            runs[relay.name].append(figures)
            print(f"  {relay.name}: {figures['msg/s']:,.0f} msg/s", flush=True)
    broker.delete(source)
    broker.delete(few)
    return [_row(name, figures, runs[PLAIN.name]) for name, figures in runs.items()]


def small(relays: Sequence[Relay], count: int) -> int:
    """Return the load of the slowest relay."""
    return max(1, int(count * min(relay.share for relay in relays)))


def _row(
    name: str, runs: Sequence[Mapping[str, float]], plain: Sequence[Mapping[str, float]]
) -> dict[str, object]:
    middle = medians(runs)
    ratio = medians([{"r": a["msg/s"] / b["msg/s"]} for a, b in zip(runs, plain, strict=True)])["r"]
    return {
        "relay": name,
        "msg/s": f"{middle['msg/s']:,.0f}",
        "x plain": f"{ratio:.2f}",
        "core-ms/msg": f"{middle['core-ms/msg']:.4f}",
        "peak MB": f"{middle['peak MB']:.0f}",
    }
