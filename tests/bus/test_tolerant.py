"""Records whose header names are not UTF-8 are read like any other, in whatever kind of batch they come."""

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.errors import FatalError
from shared.bus.tolerant import PackedPartition, TolerantRecords
from tests.bus.wire import PLACEHOLDER, WRONG_NAME, spoiled

Row = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
NULLABLE = st.none() | st.binary(max_size=20)
ROWS = st.lists(
    st.tuples(NULLABLE, NULLABLE, st.lists(st.tuples(st.text(max_size=8), NULLABLE), max_size=3)), max_size=5
)


def batch(rows: list[Row], *, gzip: bool = False, offset: int = 0) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 1 if gzip else 0, 0, -1, -1, 0, 1 << 20)
    for number, (key, value, headers) in enumerate(rows):
        assert builder.append(number, 1_700_000_000_000 + number, key, value, headers)
    data = bytearray(builder.build())
    data[:8] = offset.to_bytes(8, "big")
    return bytes(data)


def read(records: TolerantRecords | MemoryRecords) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    while records.has_next():
        one = records.next_batch()
        assert one.validate_crc()
        found += [(r.offset, r.timestamp, r.key, r.value, list(r.headers)) for r in one]
    return found


@given(st.lists(ROWS.filter(bool), min_size=1, max_size=3), st.booleans())
def test_what_aiokafka_can_read_is_read_the_same(batches: list[list[Row]], gzip: bool) -> None:
    data = b"".join(batch(rows, gzip=gzip, offset=10 * n) for n, rows in enumerate(batches))
    assert read(TolerantRecords(data)) == read(MemoryRecords(data))


def test_a_wrong_name_keeps_its_bytes_and_its_neighbours() -> None:
    rows: list[Row] = [
        (b"k1", b"v1", [("a", b"1")]),
        (b"k2", None, [(PLACEHOLDER, b"\xff"), ("b", None)]),
        (None, b"v3", []),
    ]
    data = (
        batch([(b"k0", b"v0", [])]) + spoiled(batch(rows, offset=1)) + batch([(b"k4", b"v4", [])], offset=4)
    )
    found = read(TolerantRecords(data))
    assert [row[0] for row in found] == [0, 1, 2, 3, 4]
    assert [row[2:] for row in found[1:4]] == [
        (b"k1", b"v1", [("a", b"1")]),
        (b"k2", None, [(WRONG_NAME.decode("utf-8", "surrogateescape"), b"\xff"), ("b", None)]),
        (None, b"v3", []),
    ]


def test_aiokafka_alone_cannot_read_it() -> None:
    with pytest.raises(UnicodeDecodeError):
        read(MemoryRecords(spoiled(batch([(b"k", b"v", [(PLACEHOLDER, b"")])]))))


def test_a_batch_that_was_cut_off_is_left_for_the_next_fetch() -> None:
    whole, cut = batch([(b"k", b"v", [])]), batch([(b"k", b"v", [])], offset=1)[:-3]
    records = TolerantRecords(whole + cut)
    assert [row[0] for row in read(records)] == [0]
    assert records.size_in_bytes() == len(whole + cut)


def packed(data: bytes, offset: int = 0) -> PackedPartition:
    return PackedPartition(TopicPartition("t", 0), TolerantRecords(data), None, offset, None, None, True, 0)


@given(st.lists(ROWS.filter(bool), min_size=1, max_size=3), st.integers(0, 4))
def test_a_packed_partition_tells_the_records_from_its_offset_on(
    batches: list[list[Row]], start: int
) -> None:
    start = min(start, len(batches[0]) - 1)
    data = b"".join(batch(rows, offset=10 * n) for n, rows in enumerate(batches))
    partition = packed(data, start)
    found = [record for one in partition for record in one.records()]
    assert [r.offset for r in found] == [
        10 * n + at for n, rows in enumerate(batches) for at in range(len(rows)) if 10 * n + at >= start
    ]
    assert partition.next_fetch_offset == 10 * len(batches) - 10 + len(batches[-1])


@pytest.mark.parametrize(("gzip", "answers"), [(False, [True, True, False]), (True, [True, True, True])])
def test_a_batch_knows_what_it_cannot_hold_unless_it_is_compressed(gzip: bool, answers: list[bool]) -> None:
    [one] = packed(batch([(b"key-1", b"value-1", []), (b"key-2", None, [])], gzip=gzip))
    assert [one.may_hold(pieces) for pieces in ([b"key-2"], [b"no", b"value-1"], [b"key-3"])] == answers
    assert len(list(one.records())) == 2


def test_a_batch_that_was_changed_on_its_way_is_not_unpacked() -> None:
    data = bytearray(batch([(b"k", b"value", [])]))
    data[-2] ^= 1
    with pytest.raises(CorruptRecordException):
        list(packed(bytes(data)))


def test_a_batch_that_cannot_be_unpacked_says_where_it_is() -> None:
    data = bytearray(batch([(b"k", b"v" * 100, [])], gzip=True))
    [broken] = PackedPartition(
        TopicPartition("t", 0),
        TolerantRecords(bytes(data[:70]) + b"x" * (len(data) - 70)),
        None,
        0,
        None,
        None,
        False,
        0,
    )
    with pytest.raises(FatalError, match="t/0 from 0 cannot be unpacked"):
        list(broken.records())
