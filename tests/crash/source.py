"""Offers reports at a steady rate, whatever happens to brokers and members; knows nothing of the kernel."""

import random
import threading
import time
from datetime import UTC, datetime
from functools import partial

from confluent_kafka import KafkaError, Message, Producer

from tests.crash.ledger import Ledger, Purpose, event_id
from tests.crash.names import World

TICK = 0.005
DESKS = 60
OUTCASTS = 3
FLUSH_SECONDS = 120.0
POISON_EVERY, FIRST_POISON = 4001, 401
OUTCAST_EVERY, REMIND_EVERY, URGENT_EVERY = 503, 41, 10
EARLY, RARER = 50_000, 40
"""After the first EARLY reports there are RARER times fewer outcasts: the stand-in for MongoDB reads every
record that is set aside to find the keys of one partition."""
SETTINGS = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 50,
    "partitioner": "murmur2_random",  # the one of Java and aiokafka
    "message.timeout.ms": 600_000,
    "log_level": 0,
}
TYPE = b"th.ruamjai.crash.reported.v1"


class Source(threading.Thread):
    """Sends to `world` until `finish`, `rate` reports a second over `keys` incidents."""

    def __init__(self, url: str, world: World, ledger: Ledger, seed: int, rate: int, keys: int) -> None:
        super().__init__(name="source", daemon=True)
        self._producer = Producer({"bootstrap.servers": url, **SETTINGS})
        self._world, self._ledger, self._rate, self._keys = world, ledger, rate, keys
        self._random = random.Random(seed)
        self._stop_asked = threading.Event()
        self.failed: str | None = None
        self.seconds = 0.0

    def run(self) -> None:
        begun = time.monotonic()
        while not self._stop_asked.is_set():
            self.seconds = time.monotonic() - begun
            now = _now()
            while len(self._ledger) < self.seconds * self._rate:
                self._offer(len(self._ledger), now)
            self._producer.poll(0)
            time.sleep(TICK)

    def finish(self) -> None:
        """Stop offering and wait until everything offered is acknowledged, or given up."""
        self._stop_asked.set()
        self.join()
        if left := self._producer.flush(FLUSH_SECONDS):
            self.failed = f"{left} reports were never acknowledged"

    def one_more(self, key: int) -> int:
        """Send one report that asks for a review, after `finish`; return its number when it is out."""
        number = self._send(key, False, Purpose.REMIND, _now())
        self._producer.flush(FLUSH_SECONDS)
        return number

    def _offer(self, turn: int, now: bytes) -> None:
        if _is_outcast(turn):
            nth = turn // OUTCAST_EVERY  # the second report of each outcast is the poison
            purpose = Purpose.BAD_AT_DESK if nth // OUTCASTS == 1 else Purpose.OUTCAST
            self._send(self._keys + nth % OUTCASTS, False, purpose, now)
        else:
            key, urgent = self._random.randrange(self._keys), turn % URGENT_EVERY == 0
            self._send(key, urgent, _purpose(turn), now)

    def _send(self, key: int, urgent: bool, purpose: Purpose, now: bytes) -> int:
        number, sequence = self._ledger.write(key, urgent, purpose)
        incident = b"i%d" % key
        while True:
            try:
                self._producer.produce(
                    self._world.topic("received", urgent),
                    _body(incident, desk_of(key, self._keys), urgent, number, sequence, purpose),
                    incident,
                    on_delivery=partial(self._delivered, number),
                    headers=_headers(number, incident, now),
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                return number

    def _delivered(self, number: int, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._ledger.acknowledge(number, message.partition())  # type: ignore[arg-type]
        else:
            self.failed = str(error)


def desk_of(key: int, keys: int) -> bytes:
    """Return the desk of an incident; outcasts, numbered from `keys`, have one each."""
    return b"d%d" % (key % DESKS) if key < keys else b"q%d" % key


def _is_outcast(turn: int) -> bool:
    every = OUTCAST_EVERY if turn < EARLY else OUTCAST_EVERY * RARER
    return turn % every == every - 1


def _purpose(turn: int) -> Purpose:
    if turn % POISON_EVERY == FIRST_POISON:
        return (Purpose.BAD_BODY, Purpose.BAD_AT_RELAY)[turn // POISON_EVERY % 2]
    return Purpose.REMIND if turn % REMIND_EVERY == 0 else Purpose.PLAIN


def _body(incident: bytes, desk: bytes, urgent: bool, number: int, sequence: int, purpose: Purpose) -> bytes:
    if purpose is Purpose.BAD_BODY:
        return b'{"number":%d,"sequence":"not a report"' % number
    poison = {Purpose.BAD_AT_RELAY: b"relay", Purpose.BAD_AT_DESK: b"desk"}.get(purpose, b"")
    flags = b"true" if urgent else b"false", b"true" if purpose is Purpose.REMIND else b"false"
    return (
        b'{"incident":"%b","desk":"%b","urgent":%b,"remind":%b,"number":%d,"sequence":%d,"poison":"%b"}'
        % (incident, desk, *flags, number, sequence, poison)
    )


def _headers(number: int, incident: bytes, now: bytes) -> list[tuple[str, str | bytes | None]]:
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id(number).encode()),
        ("ce_source", b"/crash/source"),
        ("ce_type", TYPE),
        ("ce_subject", incident),
        ("ce_time", now),
        ("content-type", b"application/json"),
    ]


def _now() -> bytes:
    return datetime.now(UTC).isoformat(timespec="milliseconds").encode()
