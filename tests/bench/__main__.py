"""`make bench`: the kernel on real servers against a baseline; maps; and the whole stream from outside."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import cached_property
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
from tests.bench.stream.agreements import measure_agreements
from tests.bench.stream.latency import measure_latency
from tests.bench.stream.outage import measure_outage
from tests.bench.stream.urgent import measure_urgent
from tests.bench.stream.webhook import measure_webhook
from tests.bench.tables import Row, medians, table
from tests.bench.throughput import compare

OUT = Path("build/bench.json")
HOP_RATES = (10, 200, 1000)
Tables = Mapping[str, Sequence[Row]]
Section = Callable[["Bench"], Sequence[Row] | Tables]


class Bench:
    """The servers of one run, started when they are needed, and how much is asked of them."""

    def __init__(self, servers: ExitStack, data: Path, scale: float) -> None:
        self._servers, self.data, self.scale = servers, data, scale
        self.kafka = "native"
        """Where the broker comes from; the whole stream has one of its own in any case."""

    @cached_property
    def broker(self) -> Broker:
        """The broker that relays share."""
        chosen = choose_kafka(self.data / "kafka")
        if isinstance(chosen.server, KafkaCluster):
            self._servers.enter_context(closing(chosen.server))
        self.kafka = chosen.source
        return Broker(chosen.server.url)

    @cached_property
    def mongo(self) -> str | None:
        """The store server that relays share."""
        server = choose_mongo(self.data / "mongo").server
        if isinstance(server, MongoServer):
            return self._servers.enter_context(closing(server)).url
        return server

    def rest(self) -> None:
        """Stop the servers that relays share: whoever measures the whole stream has the machine alone."""
        self._servers.close()
        for name in ("broker", "mongo"):
            self.__dict__.pop(name, None)

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


def stream(bench: Bench) -> Tables:
    """The four services: delay by rate, cost by process, the highest rate that is sustained."""
    bench.rest()
    return measure_latency(bench.data, bench.scale)


def urgent(bench: Bench) -> Tables:
    """The four services: the urgent lane beside a flood."""
    bench.rest()
    return measure_urgent(bench.data, bench.scale)


def webhook(bench: Bench) -> Tables:
    """The four services: an endpoint that does not answer, and who notices."""
    bench.rest()
    return measure_webhook(bench.data, bench.scale)


def agreements(bench: Bench) -> Tables:
    """Notify's decisions, by how many agencies there are."""
    return measure_agreements(bench.scale)


def outage(bench: Bench) -> Tables:
    """The four services: catching up, and starting again."""
    bench.rest()
    return measure_outage(bench.data, bench.scale)


SECTIONS: dict[str, Section] = {
    "throughput": throughput,
    "latency": latency,
    "backlog": backlog,
    "stores": stores,
    "geo": geo,
    "stream": stream,
    "urgent": urgent,
    "webhook": webhook,
    "agreements": agreements,
    "outage": outage,
}


def main() -> None:
    """Run the sections asked for and print their tables."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("sections", nargs="*", default=list(SECTIONS), help=", ".join(SECTIONS))
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full load, such as 0.1")
    args = parser.parse_args()
    results: dict[str, object] = {"scale": args.scale}
    with TemporaryDirectory() as folder, ExitStack() as servers:
        bench = Bench(servers, Path(folder), args.scale)
        for name in args.sections:
            found = SECTIONS[name](bench)
            for title, rows in (found if isinstance(found, Mapping) else {name: found}).items():
                results[title] = rows
                sys.stdout.write(table(title, rows) + "\n")
                sys.stdout.flush()
        results["machine"] = facts(f"{bench.kafka} 4.3.0")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(results, indent=2) + "\n")
    sys.stdout.write(f"\n{OUT}\n")


if __name__ == "__main__":
    main()
