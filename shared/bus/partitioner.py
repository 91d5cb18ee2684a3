"""Kafka's default partitioner, so that our records land where Java and aiokafka put the same key.

Source: MurmurHash2 as in Apache Kafka's `Utils.murmur2`. Written for CPython: words are unpacked at once and
the hashes of recent keys are remembered, because a stream talks about the same desks and incidents again.
"""

from functools import lru_cache
from struct import unpack_from

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995
_SEED = 0x9747B28C


def murmur2(data: bytes) -> int:
    """Return the 32-bit MurmurHash2 of `data` with Kafka's seed, unsigned."""
    size = len(data)
    words = size >> 2
    h = _SEED ^ size
    for k in unpack_from(f"<{words}I", data):
        k = k * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = h * _M & _MASK ^ k
    tail = data[words << 2 :]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15


@lru_cache(maxsize=1 << 16)
def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition, from 0, that `key` belongs to on a topic of `partitions` partitions."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
