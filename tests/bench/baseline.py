"""The relay anybody would write on plain aiokafka, tuned as well as ours may be: the bar of `make bench`.

Tuned by CPU per message, which neighbours disturb least; 60-80,000 records a run, in turn, medians of 2 to 4.
Against what is kept: batches of 16 KiB (the default) +30 to 39 %, no `gc.freeze` +14 %, 500 a poll instead
of 4,000 +10 to 13 %, `gather` instead of awaiting in turn +4 to 10 %. Within the noise: linger 0 or 5 ms,
batches from 64 KiB up, fetches of 256 KiB to 4 MiB a partition (the default 1 MiB is kept).
"""

import asyncio
import gc

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared.contracts.report import ReportReceived
from tests.bench.machine import Meter, relay_arguments

validate = ReportReceived.__pydantic_validator__.validate_json
dump = ReportReceived.__pydantic_serializer__.to_json


async def relay(kafka: str, source: str, out: str, group: str, count: int) -> str:
    """Relay `count` records, validated, with their keys and headers; return what that took as JSON."""
    consumer = AIOKafkaConsumer(
        source,
        bootstrap_servers=kafka,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka, acks="all", enable_idempotence=True, max_batch_size=256 * 1024
    )
    gc.freeze()
    done = 0
    async with producer, consumer:
        meter = Meter()
        while done < count:
            polled = await consumer.getmany(timeout_ms=1000, max_records=4000)
            acks = [
                await producer.send(
                    out, dump(validate(record.value)), record.key, headers=list(record.headers)
                )
                for batch in polled.values()
                for record in batch
            ]
            for ack in acks:
                await ack
            await consumer.commit()
            done += len(acks)
        return meter.line(done)


def main() -> None:
    """Run the relay of the command line and print its figures."""
    args = relay_arguments()
    print(asyncio.run(relay(args.kafka, args.source, args.out, args.group, args.count)))


if __name__ == "__main__":
    main()
