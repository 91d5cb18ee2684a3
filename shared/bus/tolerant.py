"""Unpacks what aiokafka has fetched our way: whatever the header names are, and at less cost a record.

Kafka leaves header names to the sender. aiokafka decodes them strictly while it unpacks a fetched batch: the
exception stops the partition for ever, and records of other partitions unpacked in the same call are lost
(their positions had advanced already). Here such a batch is read again with names decoded by
`surrogateescape`, which keeps every byte.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

from shared.bus.incoming import Fetched

_LENGTH = struct.Struct(">i")
_LENGTH_AT = 8
_BATCH_OVERHEAD = 12


def install() -> None:
    """Make every aiokafka consumer of this process unpack this way; safe to call again."""
    fetcher.MemoryRecords = TolerantRecords
    fetcher.PartitionRecords = LeanPartition


class LeanPartition(fetcher.PartitionRecords):  # type: ignore[misc]
    """One fetched partition, yielding records without checksums, sizes and deserializers."""

    def _consumer_record(self, tp: TopicPartition, record: Any) -> Fetched:
        return Fetched(
            tp.topic, tp.partition, record.offset, record.timestamp, record.key, record.value, record.headers
        )


class TolerantRecords:
    """The record batches of one fetched partition, read like aiokafka's own `MemoryRecords`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._records = MemoryRecords(data)
        self._at = 0

    def has_next(self) -> bool:
        """Whether a whole batch is left."""
        return bool(self._records.has_next())

    def size_in_bytes(self) -> int:
        """The bytes fetched, a cut-off last batch included."""
        return int(self._records.size_in_bytes())

    def next_batch(self) -> "_Batch":
        """Return the next batch; only called after `has_next`."""
        size = _BATCH_OVERHEAD + _LENGTH.unpack_from(self._data, self._at + _LENGTH_AT)[0]
        raw = memoryview(self._data)[self._at : self._at + size]
        self._at += size
        return _Batch(self._records.next_batch(), raw)


class _Batch:
    """One batch: aiokafka's, with a second way to iterate."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        count = 0
        try:
            for record in self._batch:
                yield record
                count += 1
        except UnicodeDecodeError:
            yield from islice(_TolerantBatch(bytearray(self._raw)), count, None)


class _TolerantBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """Record format v2 with header names as `surrogateescape` text."""

    _pos: int

    def _read_msg(self, decode_varint: Any = decode_varint) -> _DefaultRecordPy:
        buffer = self._buffer
        _, at = decode_varint(buffer, int(self._pos))
        _, at = decode_varint(buffer, at)
        timestamp_delta, at = decode_varint(buffer, at)
        offset_delta, at = decode_varint(buffer, at)
        key, at = _nullable(buffer, at)
        value, at = _nullable(buffer, at)
        headers, self._pos = _headers(buffer, at)
        return _DefaultRecordPy(
            self.base_offset + offset_delta,
            self.max_timestamp if self.timestamp_type else self.first_timestamp + timestamp_delta,
            self.timestamp_type,
            key,
            value,
            headers,
        )


def _headers(buffer: bytearray, at: int) -> tuple[list[tuple[str, bytes | None]], int]:
    count, at = decode_varint(buffer, at)
    headers = []
    for _ in range(count):
        name, at = _nullable(buffer, at)
        value, at = _nullable(buffer, at)
        headers.append(((name or b"").decode("utf-8", "surrogateescape"), value))
    return headers, at


def _nullable(buffer: bytearray, at: int) -> tuple[bytes | None, int]:
    size, at = decode_varint(buffer, at)
    return (None, at) if size < 0 else (bytes(buffer[at : at + size]), at + size)
