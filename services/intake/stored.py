"""What intake remembers of a report, as documents; a record is kept as the bytes that go out."""

from base64 import b32encode
from datetime import datetime
from hashlib import sha256
from secrets import token_bytes

from pydantic import BaseModel, ConfigDict

from shared.contracts import EventData, Record, Status, Topic, encode

SOURCE = "/ruamjai/intake"
CODE_BYTES = 20
"""160 random bits, 32 characters of base32."""


class Stored(BaseModel):
    """Base of the documents' bodies."""

    model_config = ConfigDict(frozen=True)

    def body(self) -> bytes:
        """Return the document's body."""
        return self.__pydantic_serializer__.to_json(self)


class Waiting(Stored):
    """A record that is to be forwarded, whoever does it, and since when it waits (epoch ms)."""

    id: str
    urgent: bool
    at: int
    topic: str
    key: str
    headers: dict[str, str]
    value: str

    def record(self) -> Record:
        """Return it as it goes out, the same bytes each time."""
        headers: list[tuple[str, bytes | None]] = [(n, text.encode()) for n, text in self.headers.items()]
        return Record(self.topic, self.key.encode(), self.value.encode(), headers)


class Accepted(Stored):
    """The decision on a report, under the identity of the request: what was sent, and what was answered."""

    digest: str
    report_id: str
    tracking_code: str
    status: Status
    event: Waiting


class Tracked(Stored):
    """What a tracking code leads to; written last, so it also says that the report is complete."""

    report_id: str
    status: Status


class Erasure(Stored):
    """A report whose personal data is gone."""

    erased_at: datetime
    status: Status


def waiting(
    topic: Topic,
    data: EventData,
    *,
    id_: str,
    now: datetime,
    urgent: bool,
    traceparent: str | None,
    since_ms: int | None = None,
) -> Waiting:
    """Return an event, decided `now`, as a record that waits to be forwarded, from now on unless told."""
    record = encode(
        topic.name, topic.key_of(data), data, id=id_, source=SOURCE, time=now, traceparent=traceparent
    )
    return Waiting(
        id=id_,
        urgent=urgent,
        at=round(now.timestamp() * 1000) if since_ms is None else since_ms,
        topic=record.topic,
        key=(record.key or b"").decode(),
        headers={name: (value or b"").decode() for name, value in record.headers},
        value=(record.value or b"").decode(),
    )


def new_code() -> str:
    """Return a tracking code nobody can guess."""
    return b32encode(token_bytes(CODE_BYTES)).decode()


def tracking_id(code: str) -> str:
    """Return the identity under which a code is stored: who reads the store learns no codes from it."""
    return sha256(code.encode()).hexdigest()
