"""A commit and a snapshot as a release stored them. `python -m tests.bus.stored` adds what is missing."""

import base64
from datetime import timedelta
from pathlib import Path

from shared.bus.commits import (
    Decided,
    Emitted,
    Kept,
    TimerCancelled,
    TimerSet,
    encode_body,
    encode_decided,
)
from shared.bus.emit import Emit, Encoder, Timer
from shared.bus.fold import Fold
from shared.contracts import decode
from shared.contracts.ids import timer_id
from shared.contracts.topics import INCIDENTS
from tests.bus.support import NOW
from tests.bus.tally import Added, Sum, Tally, command
from tests.contracts.examples import EXAMPLES

HERE = Path(__file__).parent / "golden"
CAUSE = "0193594c-7f1c-7cc2-9d8b-0a4f9a3c2b11"
TIMER = Timer("d1/alarm", "alarm", NOW + timedelta(seconds=60, milliseconds=250), 2)


def decided() -> Decided:
    """One cause with every kind of answer, and every event of the incidents' stream among them."""
    record = command("add", note=5)
    cause = decode(record.value, [(n, CAUSE.encode() if n == "ce_id" else v) for n, v in record.headers])
    encoder = Encoder("golden")
    bodies = [data for data in EXAMPLES if data.type in INCIDENTS.types]
    emitted = [
        Emitted(encoder.record(cause, Emit(INCIDENTS, data), ordinal, NOW), data)
        for ordinal, data in enumerate(bodies)
    ]
    kept = Kept(Added(desk="d1", amount=5))
    return Decided("d1", CAUSE, (*emitted, kept, TimerSet(TIMER), TimerCancelled(timer_id("x", "y", 1))))


def snapshot() -> bytes:
    """The state of a key with a sum, what it was told, and a running timer."""
    fold = Fold(Tally())
    fold["d1"].state = Sum(total=7, told=("a", "b"))
    fold.apply(Decided("d1", CAUSE, (TimerSet(TIMER),)))
    return fold.take_changes()["d1"] or b""


def stored_body() -> bytes:
    """The body of the stored commit."""
    return base64.b64decode((HERE / "commit.base64").read_text())


def stored_snapshot() -> bytes:
    """The stored snapshot."""
    return (HERE / "snapshot.json").read_bytes()


def freeze() -> None:
    """Store both, unless they are there."""
    HERE.mkdir(exist_ok=True)
    body = base64.encodebytes(encode_body([encode_decided(decided())])).decode()
    for name, text in (("commit.base64", body), ("snapshot.json", snapshot().decode())):
        path = HERE / name
        if not path.exists():
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    freeze()
