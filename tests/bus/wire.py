"""Record batches that no well-behaved client writes: header names that are not UTF-8."""

import struct
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

PLACEHOLDER = "_wrong_name__"
WRONG_NAME = b"\xff\xfe\x80wrong.name"
_CRC_AT, _COVERED_FROM = 17, 21


def spoiled(batch: bytes) -> bytes:
    """`batch`, uncompressed, with every PLACEHOLDER replaced by WRONG_NAME and its checksum put right."""
    assert len(WRONG_NAME) == len(PLACEHOLDER)
    data = bytearray(batch.replace(PLACEHOLDER.encode(), WRONG_NAME))
    struct.pack_into(">I", data, _CRC_AT, calc_crc32c(bytes(data[_COVERED_FROM:])))
    return bytes(data)


async def send_wrong_name(url: str, topic: str, partition: int, key: bytes, values: Sequence[bytes]) -> None:
    """Send one batch of records, each with a header whose name is WRONG_NAME."""
    async with AIOKafkaProducer(bootstrap_servers=url) as producer:
        builder = producer.create_batch()
        for value in values:
            builder.append(key=key, value=value, timestamp=None, headers=[(PLACEHOLDER, b"\xffvalue")])
        builder._buffer = bytearray(spoiled(bytes(builder._build())))
        await (await producer.send_batch(builder, topic, partition=partition))
