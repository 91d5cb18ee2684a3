"""An endpoint gets every event of its agency's topic, in order, as often as it takes."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic_core import from_json

from services.notify.metrics import NotifyMetrics, Trouble
from services.notify.webhooks import send
from services.notify.webhooks.outcomes import KEPT, KIND, Outcomes
from services.notify.webhooks.queue import FINAL_ATTEMPTS, GIVE_UP, Queue, structured
from services.notify.webhooks.send import Sender
from services.notify.webhooks.sign import signed_headers
from shared.bus import Emit, Retry
from shared.bus.emit import Encoder
from shared.bus.testing import NOON, event_of
from shared.clock import ManualClock
from shared.contracts import DeliveryRecorded, Event, IncidentShared, decode
from shared.contracts.agency import Presence
from shared.contracts.delivery import Delivery, DeliveryOutcome
from shared.contracts.kafka import dump
from shared.store import Store
from tests.bus.support import header, until, value_of
from tests.notify.receiver import SECRET, Receiver, receiving


def shared_event(seq: int = 1) -> Event[IncidentShared]:
    """An event as the agency's topic has it."""
    data = IncidentShared(
        agency="rescue",
        incident_id="inc-1",
        seq=seq,
        presence=Presence.UPDATED,
        happened="incident.updated",
        agreement_id="mou-1",
        agreement_version=1,
    )
    return event_of(data)


class Line:
    """One queue on one store, with a clock that the test moves."""

    def __init__(
        self, receiver: Receiver, store: Store, clock: ManualClock | None = None, name: str = "hook"
    ) -> None:
        self.metrics, self.clock = NotifyMetrics(), clock or ManualClock(NOON)
        endpoint = receiver.endpoint(name)
        self.queue = Queue(endpoint, Sender(endpoint), self.metrics)
        self.queue.open(Outcomes(store.documents(KIND), endpoint.name), self.clock)

    async def deliver(self, event: Event[IncidentShared]) -> Delivery:
        """Hand in one event, again after every pause it asks for. Return what the ledger says."""
        while True:
            try:
                [emit] = await self.queue.deliver(event)
            except Retry:
                with pytest.raises(Retry):
                    await self.queue.deliver(event)  # too early: nothing is sent
                self.clock.advance(900)
            else:
                return delivery(emit)


def delivery(emit: Emit) -> Delivery:
    """The one delivery of an entry."""
    assert isinstance(emit.data, DeliveryRecorded)
    [found] = emit.data.deliveries
    return found


async def test_the_body_is_the_event_of_the_topic_and_the_signature_is_ours(store: Store) -> None:
    event = shared_event()
    async with receiving() as receiver:
        told = await Line(receiver, store).deliver(event)
    [got] = receiver.got
    again = decode(got.body, [("content-type", got.headers["content-type"].encode())])
    assert (again.id, again.time, again.data) == (event.id, event.time, event.data)
    assert from_json(got.body)["data"] == from_json(dump(event.data))
    expected = signed_headers(event.id, NOON, got.body, [SECRET])
    assert expected.items() <= got.headers.items()
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert (told.outcome, told.recipient) == (DeliveryOutcome.DELIVERED, "webhook:hook")
    assert told.proof == f"status=204;webhook-id={event.id}"
    assert (told.agreement_id, told.agreement_version) == ("mou-1", 1)


async def test_what_fails_is_tried_again_under_the_same_id_and_counted_by_reason(store: Store) -> None:
    async with receiving(500, 503, 302, 404) as receiver:
        line = Line(receiver, store)
        told = await line.deliver(shared_event())
    assert told.outcome is DeliveryOutcome.DELIVERED
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert len({got.headers["webhook-timestamp"] for got in receiver.got}) == 5
    assert {got.path for got in receiver.got} == {"/hook"}, "no redirect is followed"
    failed = line.metrics.webhooks_failed
    counts = [value_of(failed, "hook", t) for t in (Trouble.SERVER_ERROR, Trouble.REDIRECT, Trouble.REFUSED)]
    assert counts == [2, 1, 1]


async def test_what_the_endpoint_refuses_is_given_up_soon_and_the_next_goes_on(
    store: Store,
) -> None:
    async with receiving(*[422] * FINAL_ATTEMPTS) as receiver:
        line = Line(receiver, store)
        refused, taken = await line.deliver(shared_event(1)), await line.deliver(shared_event(2))
    assert (refused.outcome, refused.reason) == (DeliveryOutcome.FAILED, Trouble.REFUSED)
    assert taken.outcome is DeliveryOutcome.DELIVERED
    assert value_of(line.metrics.webhooks_given_up, "hook", Trouble.REFUSED) == 1


async def test_an_event_that_is_too_old_gets_one_last_attempt(store: Store) -> None:
    late = ManualClock(NOON + GIVE_UP)
    async with receiving(500, 204) as receiver:
        line = Line(receiver, store, late)
        assert (await line.deliver(shared_event())).outcome is DeliveryOutcome.FAILED
        assert (await line.deliver(shared_event())).outcome is DeliveryOutcome.DELIVERED


async def test_after_a_restart_the_same_event_is_neither_sent_nor_recorded_otherwise(store: Store) -> None:
    event = shared_event()
    async with receiving() as receiver:
        before = await Line(receiver, store).deliver(event)
        later = ManualClock(NOON + timedelta(hours=1))
        assert await Line(receiver, store, later).deliver(event) == before
    assert len(receiver.got) == 1


async def test_two_owners_for_a_moment_leave_one_entry(store: Store) -> None:
    event = shared_event()
    async with receiving() as receiver:
        lines = [Line(receiver, store), Line(receiver, store, ManualClock(NOON + timedelta(seconds=9)))]
        entries = await asyncio.gather(*(line.queue.deliver(event) for line in lines))
    [first], [second] = entries
    assert dump(first.data) == dump(second.data)


async def test_two_endpoints_of_one_agency_have_an_entry_each_and_a_redo_repeats_it(store: Store) -> None:
    event, encoder = shared_event(), Encoder("notify")
    async with receiving() as receiver:
        lines = [Line(receiver, store, name=name) for name in ("hook", "other")]
        entries = [encoder.records(event, await line.queue.deliver(event)) for line in lines]
        again = [encoder.records(event, await line.queue.deliver(event)) for line in lines]
    [first], [second] = entries
    assert header(first, "ce_id") != header(second, "ce_id")
    assert (first.key, again) == (second.key, entries)


async def test_what_is_older_than_any_redo_is_forgotten(store: Store) -> None:
    outcomes, old = Outcomes(store.documents(KIND), "hook"), shared_event()
    async with receiving() as receiver:
        line = Line(receiver, store)
        await line.deliver(old)
    await outcomes.tidy(NOON + KEPT)
    assert await outcomes.of(old) is not None
    await outcomes.tidy(NOON + KEPT + timedelta(days=1))
    assert await outcomes.of(old) is None


async def test_an_endpoint_that_does_not_answer_costs_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(send, "TOTAL_SECONDS", 0.2)
    async with receiving(0) as receiver:
        found = await Sender(receiver.endpoint()).attempt("id-1", b"{}", NOON)
    assert found.trouble is Trouble.TIMEOUT


@pytest.mark.parametrize(
    ("change", "answer", "trouble"),
    [
        ({"url": "http://127.0.0.1:1/"}, ["127.0.0.1"], Trouble.CONNECT),
        ({"url": "https://hooks.example.org/", "allowed": ()}, ["10.0.0.1"], Trouble.FORBIDDEN_ADDRESS),
        ({"url": "https://hooks.example.org/", "allowed": ()}, [], Trouble.UNRESOLVED),
    ],
)
async def test_why_an_attempt_failed_is_one_of_few_reasons(
    change: dict[str, Any], answer: list[str], trouble: Trouble
) -> None:
    async def ask(host: str, port: int) -> list[str]:
        return answer

    sender = Sender(replace(Receiver().endpoint(), **change), ask)
    assert (await sender.attempt("id-1", b"{}", NOON)).trouble is trouble


async def test_a_host_that_no_resolver_can_be_asked_for_is_a_reason_too() -> None:
    sender = Sender(replace(Receiver().endpoint(), url="http://hooks..example.org/"))
    assert (await sender.attempt("id-1", b"{}", NOON)).trouble is Trouble.FORBIDDEN_ADDRESS


async def test_a_server_that_talks_nonsense_is_a_protocol_error() -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"hello\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    async with server:
        endpoint = Receiver(port=server.sockets[0].getsockname()[1]).endpoint()
        found = await Sender(endpoint).attempt("id-1", b"{}", NOON)
    assert found.trouble is Trouble.PROTOCOL


async def test_a_queue_that_is_not_open_yet_waits(store: Store) -> None:
    async with receiving() as receiver:
        queue = Queue(receiver.endpoint(), Sender(receiver.endpoint()), NotifyMetrics())
        task = asyncio.ensure_future(queue.deliver(shared_event()))
        await asyncio.sleep(0)
        assert not task.done()
        queue.open(Outcomes(store.documents(KIND), "hook"), ManualClock(NOON))
        await until(task.done, "delivered")
        assert delivery(next(iter(task.result()))).outcome is DeliveryOutcome.DELIVERED


def test_the_structured_body_is_the_same_every_time() -> None:
    event = shared_event()
    assert structured("rescue", event) == structured("rescue", event)
