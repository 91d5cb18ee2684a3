"""Takes in what aiokafka has fetched our way: packed until it is used, and whatever the header names are.

aiokafka unpacks all that is fetched at once. By the time a record is used it has left the CPU's caches, and
meanwhile it takes four times the memory. Here a fetched batch is handed on as it is.

Kafka leaves header names to the sender. aiokafka decodes them strictly while it unpacks: the exception stops
the partition for ever, and records of other partitions unpacked in the same call are lost (their positions
had advanced already). Here such a batch is read again with names decoded by `surrogateescape`, which keeps
every byte.
"""

import struct
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

from shared.bus.errors import FatalError
from shared.bus.incoming import Fetched, Incoming

_LENGTH = struct.Struct(">i")
_LENGTH_AT = 8
_BATCH_OVERHEAD = 12


class _Marker:
    """Stands where a consumer has its key deserializer: that consumer gets batches instead of records."""

    def __call__(self, key: bytes) -> bytes:
        return key


PACKED = _Marker()


def install() -> None:
    """Make aiokafka's consumers tolerant, and give batches to those that ask for PACKED; safe to repeat."""
    fetcher.MemoryRecords = TolerantRecords
    fetcher.PartitionRecords = _partition_records


def _partition_records(*arguments: Any) -> Any:
    packed = any(argument is PACKED for argument in arguments)
    return (PackedPartition if packed else _AIOKAFKAS)(*arguments)


_AIOKAFKAS = fetcher.PartitionRecords


class PackedPartition(_AIOKAFKAS):  # type: ignore[misc,valid-type]
    """One fetched partition, yielding a `Batch` where aiokafka yields the records in it."""

    next_fetch_offset: int

    def _unpack_records(self) -> Iterator["Batch"]:
        while self._records.has_next():
            batch = self._records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"wrong checksum in {self._tp}")
            batch.source, batch.offset = self._tp, self.next_fetch_offset
            self.next_fetch_offset = batch.next_offset
            if not batch.is_control_batch:
                yield batch


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

    def next_batch(self) -> "Batch":
        """Return the next batch; only called after `has_next`."""
        size = _BATCH_OVERHEAD + _LENGTH.unpack_from(self._data, self._at + _LENGTH_AT)[0]
        start, self._at = self._at, self._at + size
        return Batch(self._records.next_batch(), self._data, start, size)


class Batch:
    """One fetched batch: aiokafka's, and where its partition goes on."""

    source: TopicPartition
    offset: int

    def __init__(self, batch: Any, fetched: bytes, start: int, size: int) -> None:
        """`fetched` has the batch from `start` on, in `size` bytes."""
        self._batch, self._fetched, self._start, self._end = batch, fetched, start, start + size
        self.size = size

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    @property
    def first_ms(self) -> int:
        """The Kafka timestamp of its first record, epoch milliseconds; 0 in formats before v2."""
        if not hasattr(self._batch, "timestamp_type"):
            return 0
        return int(self._batch.max_timestamp if self._batch.timestamp_type else self._batch.first_timestamp)

    def may_hold(self, pieces: Iterable[bytes]) -> bool:
        """Whether one of `pieces` is in it; what is compressed is not looked into."""
        if getattr(self._batch, "compression_type", 1):
            return True
        return any(self._fetched.find(piece, self._start, self._end) >= 0 for piece in pieces)

    def records(self) -> Iterator[Incoming]:
        """Yield the records from `offset` on. Raises FatalError when they cannot be unpacked."""
        topic, partition = self.source
        try:
            for record in self:
                offset = record.offset
                if offset >= self.offset:
                    yield Fetched(
                        topic, partition, offset, record.timestamp, record.key, record.value, record.headers
                    )
        except Exception as error:
            raise FatalError(
                f"{topic}/{partition} from {self.offset} cannot be unpacked: {error!r}"
            ) from error

    def __iter__(self) -> Iterator[Any]:
        """Yield aiokafka's records."""
        count = 0
        try:
            for record in self._batch:
                yield record
                count += 1
        except UnicodeDecodeError:
            raw = bytearray(memoryview(self._fetched)[self._start : self._end])
            yield from islice(_TolerantBatch(raw), count, None)


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
