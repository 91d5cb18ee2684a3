"""`make bench`: throughput, latency, backlog and stores on real servers, against a baseline; and maps."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from deploy.local.choose import choose_kafka, choose_mongo
from deploy.local.cluster import KafkaCluster
from deploy.local.store import MongoServer
from tests.bench.geo import measure_maps
from tests.bench.hop import hop
from tests.bench.load import Broker
from tests.bench.machine import facts
from tests.bench.relays import FASTSTREAM, KERNEL, PLAIN, Relay, run_once
from tests.bench.sink import sink
from tests.bench.stores import measure_stores
from tests.bench.tables import Row, medians, table
from tests.bench.throughput import compare

OUT = Path("build/bench.json")
HOP_RATES = (10, 200, 1000)
Section = Callable[["Bench"], Sequence[Row]]


class Bench:
    """The servers of one run and how much is asked of them."""

    def __init__(self, kafka: str, mongo: str | None, data: Path, scale: float) -> None:
        self.broker, self.mongo, self.data, self.scale = Broker(kafka), mongo, data, scale

    def mongo_url(self) -> str:
        """Return the URL of a database nobody has used."""
        return f"{self.mongo}/bench_{uuid4().hex[:8]}"


def throughput(bench: Bench) -> Sequence[Row]:
    """The relay: baseline and ours in turn."""
    with sink() as collector:
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "TRACE_SAMPLE_RATIO": "0.01"}
        relays = [PLAIN, KERNEL, Relay("kernel, metrics and tracing", settings=traced)]
        relays.append(Relay("kernel, decider on SQLite", kind="decider"))
        if bench.mongo:
            settings = {"MONGO_URL": f"{bench.mongo}/{{run}}"}
            relays.append(Relay("kernel, decider on MongoDB-compatible", kind="decider", settings=settings))
        relays.append(FASTSTREAM)
        rows = compare(bench.broker, relays, int(200_000 * bench.scale), 3, bench.data)
        if not collector.posts:
            raise RuntimeError("the traced relay exported nothing")
    return rows


def latency(bench: Bench) -> Sequence[Row]:
    """One hop: baseline and ours in turn at three rates."""
    rows = []
    for rate in HOP_RATES:
        for relay in (PLAIN, KERNEL):
            runs = [
                hop(bench.broker, relay, rate, 15 * bench.scale, bench.data / uuid4().hex) for _ in range(3)
            ]
            rows.append({"rate/s": rate, "relay": relay.name, **medians(runs)})
    return rows


def backlog(bench: Bench) -> Sequence[Row]:
    """A long queue: its rate, and the peak memory it takes."""
    count = int(1_000_000 * bench.scale)
    source = bench.broker.create(f"backlog-{uuid4().hex[:8]}")
    bench.broker.fill(source, count, 1000)
    figures = run_once(bench.broker, KERNEL, source, count, bench.data)
    bench.broker.delete(source)
    return [{"records": f"{count:,}", **{name: round(value, 4) for name, value in figures.items()}}]


def stores(bench: Bench) -> Sequence[Row]:
    """The commit log's adapters."""
    urls = {"SQLite": f"sqlite:///{bench.data / 'store.db'}"}
    if bench.mongo:
        urls["MongoDB-compatible"] = bench.mongo_url()
    return measure_stores(urls)


def geo(bench: Bench) -> Sequence[Row]:
    """A country's pack: made, loaded, asked."""
    return measure_maps(bench.data, bench.scale)


SECTIONS: dict[str, Section] = {
    "throughput": throughput,
    "latency": latency,
    "backlog": backlog,
    "stores": stores,
    "geo": geo,
}


def main() -> None:
    """Run the sections asked for and print their tables."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("sections", nargs="*", default=list(SECTIONS), help=", ".join(SECTIONS))
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full load, such as 0.1")
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        kafka, mongo = choose_kafka(Path(folder, "kafka")), choose_mongo(Path(folder, "mongo"))
        store = mongo.server.url if isinstance(mongo.server, MongoServer) else mongo.server
        bench = Bench(kafka.server.url, store, Path(folder), args.scale)
        results: dict[str, object] = {"machine": facts(f"{kafka.source} 4.3.0"), "scale": args.scale}
        try:
            for name in args.sections:
                rows = results[name] = SECTIONS[name](bench)
                sys.stdout.write(table(name, rows) + "\n")
                sys.stdout.flush()
        finally:
            for server in (kafka.server, mongo.server):
                if isinstance(server, KafkaCluster | MongoServer):
                    server.close()
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(results, indent=2) + "\n")
    sys.stdout.write(f"\n{OUT}\n")


if __name__ == "__main__":
    main()
