"""A loopback broker inside this process, for machines with nothing but PyPI: librdkafka's mock cluster.

It speaks the Kafka protocol over TCP, keeps the last 5 MiB or 100,000 records of a partition in memory,
forgets all when the process ends, and cannot rebalance a group: what those hide needs a real Kafka.
"""

import ctypes
from collections.abc import Mapping
from ctypes.util import find_library
from pathlib import Path

import confluent_kafka

from deploy.local.kafka_server import KafkaServer
from deploy.local.unavailable import Unavailable

RD_KAFKA_PRODUCER = 0
ERROR_SIZE = 512


class EmbeddedKafka(KafkaServer):
    """The running mock broker. Topics that clients ask for and nobody created get 4 partitions."""

    def __init__(self, brokers: int = 1) -> None:
        """Start it; raises Unavailable where the wheel's library cannot be found."""
        self._library = _load()
        self._client = _client(self._library)
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._client, brokers)
        super().__init__(self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode())

    def create_topic(
        self, name: str, partitions: int = 1, replication: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        """Create a topic unless it exists. ValueError for `config`, which it could not keep."""
        if config:
            raise ValueError(f"the embedded broker has no topic settings: {', '.join(config)}")
        if name not in self._admin().list_topics(timeout=10).topics:
            self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, replication)

    def close(self) -> None:
        """End the broker and forget its records."""
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)


def _load() -> ctypes.CDLL:
    """The librdkafka that confluent-kafka itself uses, with the signatures of the calls we need."""
    package = Path(confluent_kafka.__file__).parent
    places = [*package.parent.glob("confluent_kafka.libs/librdkafka*"), *package.glob(".dylibs/librdkafka*")]
    found = str(places[0]) if places else find_library("rdkafka")
    if found is None:
        raise Unavailable("no librdkafka in the confluent-kafka package")
    library, pointer, text, number = ctypes.CDLL(found), ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    signatures = {
        "rd_kafka_conf_new": (pointer, []),
        "rd_kafka_conf_set": (number, [pointer, text, text, text, ctypes.c_size_t]),
        "rd_kafka_new": (pointer, [number, pointer, text, ctypes.c_size_t]),
        "rd_kafka_mock_cluster_new": (pointer, [pointer, number]),
        "rd_kafka_mock_cluster_bootstraps": (text, [pointer]),
        "rd_kafka_mock_topic_create": (number, [pointer, text, number, number]),
        "rd_kafka_mock_cluster_destroy": (None, [pointer]),
        "rd_kafka_destroy": (None, [pointer]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _client(library: ctypes.CDLL) -> int:
    """A librdkafka handle that connects to nothing: the mock cluster wants one as its owner."""
    error = ctypes.create_string_buffer(ERROR_SIZE)
    settings = library.rd_kafka_conf_new()
    library.rd_kafka_conf_set(settings, b"log_level", b"0", error, ERROR_SIZE)
    client: int | None = library.rd_kafka_new(RD_KAFKA_PRODUCER, settings, error, ERROR_SIZE)
    if client is None:
        raise Unavailable(f"librdkafka: {error.value.decode()}")
    return client
