"""What is written to topics from outside: an agency's answers, agreements, and what nobody can use."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from uuid import uuid4

from confluent_kafka import KafkaError, Message, Producer

from tests.crash.services.seen import POISON
from tests.crash.source import SETTINGS

FLUSH_SECONDS = 60.0


class Post:
    """Writes records until the broker has them."""

    def __init__(self, kafka: str) -> None:
        self._producer = Producer({"bootstrap.servers": kafka, **SETTINGS})

    def response(self, agency: str, body: Mapping[str, object], done: Callable[[str], None]) -> None:
        """Answer on an agency's own topic; `done` gets the command's id once it is there."""
        topic, key = f"agency.{agency}.responses", str(body["incident_id"])
        id_ = self._event(topic, "response.submitted", key, body, lambda: done(id_))

    def agreement(self, body: Mapping[str, object]) -> None:
        """Publish an agreement, and return when it is there."""
        self._event("agreements", "agreement.published", str(body["agreement_id"]), body, lambda: None)
        self.flush()

    def poison(self, topic: str, key: str, number: int) -> None:
        """Send what is no event."""
        headers: list[tuple[str, str | bytes | None]] = [(POISON, str(number).encode())]
        self._producer.produce(topic, b'{"not": "an event', key.encode(), headers=headers)
        self._producer.poll(0)

    def flush(self) -> None:
        """Return when everything is acknowledged. Raises TimeoutError."""
        if self._producer.flush(FLUSH_SECONDS):
            raise TimeoutError("what was written from outside was not acknowledged")

    def _event(
        self, topic: str, kind: str, key: str, body: Mapping[str, object], then: Callable[[], None]
    ) -> str:
        id_ = str(uuid4())
        event = {
            "ce_specversion": "1.0",
            "ce_id": id_,
            "ce_source": "/crash/outside",
            "ce_type": f"th.ruamjai.{kind}.v1",
            "ce_subject": key,
            "ce_time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "content-type": "application/json",
        }

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is None:
                then()

        headers: list[tuple[str, str | bytes | None]] = [(n, v.encode()) for n, v in event.items()]
        value = json.dumps(body).encode()
        self._producer.produce(topic, value, key.encode(), headers=headers, on_delivery=delivered)
        self._producer.poll(0)
        return id_
