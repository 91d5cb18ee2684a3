"""The same relay on the kernel: what a service author writes, run the way a service runs."""

import asyncio
import json
import signal
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from shared.bus import Decider, Decision, Emit, Service
from shared.bus.runtime import Runtime, application
from shared.contracts import Event, EventData, ReportReceived
from shared.contracts.topics import Topic
from shared.settings import load_settings
from tests.bench.machine import Meter


class Tally(BaseModel):
    """How many reports a key has had."""

    count: int = 0


class Count(Decider[Tally]):
    """Passes every report on and counts it."""

    state = Tally

    def __init__(self, out: Topic) -> None:
        self._out = out

    def decide(self, state: Tally, event: Event[ReportReceived], now: Any) -> Iterable[Decision]:
        """Emit the report again."""
        return (Emit(self._out, event.data),)

    def evolve(self, state: Tally, fact: EventData) -> Tally:
        """Count it."""
        state.count += 1
        return state


def declared(kind: str, group: str, source: Topic, out: Topic) -> Service:
    """Return the service: `each` event, a `batch` at a time, or a `decider` on the commit log."""
    service = Service(group)
    if kind == "each":

        @service.on(source)
        def relay(event: Event[ReportReceived]) -> Iterable[Emit]:
            return (Emit(out, event.data),)

    else:
        service.decide(source, by=Count(out))
    return service


async def run(service: Service, settings: dict[str, str]) -> str:
    """Run until SIGTERM; return what it took from the first assignment on, as a JSON line."""
    app, runtime = application(service, load_settings("bench", settings))
    task = asyncio.create_task(app.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, app.exit)
    while not _assigned(runtime):
        await asyncio.sleep(0.01)
    meter = Meter()
    await task
    return meter.line(
        int(runtime.registry.get_sample_value("ruamjai_batch_size_sum", _handler(runtime)) or 1)
    )


def _assigned(runtime: Runtime) -> bool:
    return any(consumer.workers for consumer in runtime.consumers)


def _handler(runtime: Runtime) -> dict[str, str]:
    return {"handler": runtime.service.subscriptions[0].handler}


def main() -> None:
    """Run the relay of the command line and print its figures."""
    parser = ArgumentParser()
    for name in ("--in", "--out", "--group", "--kind", "--settings"):
        parser.add_argument(name, required=True, dest={"--in": "source"}.get(name))
    args = parser.parse_args()
    service = declared(
        args.kind, args.group, Topic(args.source, key="report_id"), Topic(args.out, key="report_id")
    )
    print(asyncio.run(run(service, json.loads(args.settings))))


if __name__ == "__main__":
    main()
