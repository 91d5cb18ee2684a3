"""The same relay in FastStream's documented decorator style with default settings: one message at a time.

Its cheaper spelling, returning the bare model, writes neither the key nor the ids; that is no relay of ours.
"""

import asyncio
import os
from contextlib import redirect_stdout
from pathlib import Path

from faststream import FastStream
from faststream.kafka import KafkaBroker, KafkaResponse
from faststream.kafka.annotations import KafkaMessage

from shared.contracts.report import ReportReceived
from tests.bench.machine import Meter, relay_arguments


async def relay(kafka: str, source: str, out: str, group: str, count: int) -> str:
    """Relay `count` records, validated, with their keys and headers; return what that took as JSON."""
    broker = KafkaBroker(kafka)
    app = FastStream(broker)
    done = 0

    # The one setting that is not the default: the topic is filled before the group exists.
    @broker.subscriber(source, group_id=group, auto_offset_reset="earliest")
    @broker.publisher(out)
    async def pass_on(report: ReportReceived, message: KafkaMessage) -> KafkaResponse:
        nonlocal done
        done += 1
        if done == count:
            app.exit()
        assert not isinstance(message.raw_message, tuple), "a single message, not a batch"
        return KafkaResponse(report, key=message.raw_message.key, headers=message.headers)

    meter = Meter()
    await app.run()
    return meter.line(done)


def main() -> None:
    """Run the relay of the command line and print its figures."""
    args = relay_arguments()
    # FastStream logs two lines a message on stdout; it still writes them, but the figures stand alone there.
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        figures = asyncio.run(relay(args.kafka, args.source, args.out, args.group, args.count))
    print(figures)


if __name__ == "__main__":
    main()
