"""A sealed block is read only under an agreement that grants it, and every request is in the ledger."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import AsyncMock

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notify.agreements import Agreements
from services.notify.disclosure.api import SCOPE, Disclosures, disclosure_api
from services.notify.disclosure.judge import Known, Ruling, rule
from services.notify.disclosure.ledger import Ledger, entry
from services.notify.disclosure.limit import BURST, Limit
from services.notify.disclosure.records import Records
from services.notify.metrics import NotifyMetrics
from shared.bus import Retry
from shared.bus.errors import FatalError
from shared.bus.publisher import Delivery, Publisher
from shared.bus.testing import NOON, event_of
from shared.clock import Clock, ManualClock
from shared.contracts import EventData, ReportErased, ReportReceived, Status
from shared.contracts.agreement import AgreementEvent
from shared.contracts.delivery import DeliveryOutcome
from shared.contracts.report import Reporter
from shared.contracts.values import Sealed
from shared.contracts.view import ReportLink
from shared.http import ApiKeys, Caller
from shared.sealing import KeyErasedError
from shared.store import Store
from tests.notify.support import DAY, agreement, opened, updated, withdrawn

SEALED = Sealed(key_id="rep-1", nonce="AAECAwQFBgcICQoL", ciphertext="3q2+7wABAgMEBQYHCAkKCwwNDg8=")
CONTENT = {"text": "คุณสมชาย 081-234-5678", "name": "สมชาย"}
GRANTS = agreement(fields=("lifecycle", "sealed"))
KNOWN = Known(seq=1, status=Status.ACTUAL, category="road_accident", area="670101", reports=("rep-1",))
ASKED = {"incident_id": "inc-1", "report_id": "rep-1", "purpose": "life_safety"}


@pytest.mark.parametrize(
    ("known", "agreed", "reason"),
    [
        (KNOWN, GRANTS, None),
        (None, GRANTS, "unknown_incident"),
        (KNOWN, agreement(), "not_granted"),
        (KNOWN, agreement("hospital", fields=("sealed",)), "no_agreement"),
        (KNOWN, agreement(fields=("sealed",), areas=("10",)), "no_agreement"),
        (KNOWN, agreement(fields=("sealed",), valid_until=NOON), "expired"),
        (
            KNOWN,
            agreement(fields=("sealed",), valid_from=NOON + DAY / 2),
            "not_in_effect",
        ),
        (KNOWN, withdrawn(GRANTS, NOON), "withdrawn"),
        (KNOWN.model_copy(update={"reports": ("rep-2",)}), GRANTS, "not_linked"),
        (KNOWN.model_copy(update={"status": Status.EXERCISE}), GRANTS, "exercise"),
    ],
)
def test_the_agreement_in_effect_decides(
    known: Known | None, agreed: AgreementEvent, reason: str | None
) -> None:
    agreements = Agreements(NotifyMetrics())
    agreements.take({b"mou": agreed})
    agreements.confirm(float("inf"))
    ruling = rule(agreements.book(), "rescue", known, "rep-1", NOON)
    assert ruling.reason == reason
    if reason is None:
        assert (ruling.agreement_id, ruling.version) == (GRANTS.agreement_id, 1)


class Ring:
    """A key ring with one key, until it is erased."""

    erased = False
    plaintext = json.dumps(CONTENT).encode()

    async def unseal(self, sealed: Sealed, /) -> bytes:
        """Open the one block there is."""
        if self.erased:
            raise KeyErasedError
        assert sealed == SEALED
        return self.plaintext


@dataclass
class Noted(Ledger):
    """The ledger's entries, instead of a broker."""

    entries: list[Ruling] = field(default_factory=list)
    away: bool = False

    async def record(
        self, agency: str, incident_id: str, report_id: str, purpose: str, ruling: Ruling, now: datetime
    ) -> None:
        """Note it."""
        if self.away:
            raise TimeoutError
        self.entries.append(ruling)


class Office:
    """The API with everything behind it, on a clock that stands still unless another is given."""

    def __init__(self, store: Store, clock: Clock | None = None) -> None:
        self.agreements, self.records = Agreements(NotifyMetrics()), Records(store)
        self.ring, self.ledger, self.clock = Ring(), Noted(), clock or ManualClock(NOON)
        keys = {"rescue-key": ("agency:rescue", SCOPE), "officer-key": ("officer:somchai", SCOPE)}
        keys |= {"other-key": ("agency:rescue", "commands")}
        callers = {
            hashlib.sha256(key.encode()).hexdigest(): Caller(name=name, scopes=frozenset({scope}))
            for key, (name, scope) in keys.items()
        }
        metrics = NotifyMetrics()
        disclosures = Disclosures(self.agreements, self.records, self.ring, self.ledger, self.clock, metrics)
        self.app = disclosure_api(disclosures, ApiKeys(callers), Limit(self.clock.monotonic))
        self._transport = httpx.ASGITransport(self.app)

    def agree(self, agreed: AgreementEvent) -> None:
        """Have one agreement."""
        self.agreements.take({b"mou": agreed})
        self.agreements.confirm(float("inf"))

    async def note(self, *bodies: EventData) -> None:
        """Take events into the read model."""
        await self.records.take([event_of(body) for body in bodies])

    async def ask(self, body: Any = ASKED, key: str | None = "rescue-key") -> httpx.Response:
        """Ask for a block."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(transport=self._transport, base_url="http://notify") as client:
            return await client.post("/v1/disclosures", json=body, headers=headers)


def received(report_id: str = "rep-1") -> ReportReceived:
    """A report with a sealed block."""
    return ReportReceived(
        report_id=report_id, received_at=NOON, channel="web", reporter=Reporter.CITIZEN, sealed=SEALED
    )


@pytest.fixture
async def office(store: Store) -> Office:
    """One incident with one report, and an agreement that grants its sealed block."""
    office = Office(store)
    office.agree(GRANTS)
    await office.note(received(), opened())
    return office


async def test_what_is_granted_is_answered_and_recorded(office: Office) -> None:
    answer = await office.ask()
    assert answer.status_code == 200
    assert answer.json()["content"] == CONTENT
    assert answer.headers["cache-control"] == "no-store"
    assert office.ledger.entries == [Ruling(None, GRANTS.agreement_id, 1)]


@pytest.mark.parametrize(
    ("body", "agreed", "status", "reason"),
    [
        ({"incident_id": "inc-9"}, GRANTS, 404, "unknown_incident"),
        ({"report_id": "rep-9"}, GRANTS, 404, "not_linked"),
        ({}, agreement("hospital", fields=("sealed",)), 404, "no_agreement"),
        ({}, agreement(), 403, "not_granted"),
        ({}, agreement(fields=("sealed",), valid_until=NOON), 403, "expired"),
    ],
)
async def test_what_is_refused_is_recorded_with_its_reason(
    office: Office, body: dict[str, str], agreed: AgreementEvent, status: int, reason: str
) -> None:
    office.agree(agreed)
    answer = await office.ask(ASKED | body)
    assert answer.status_code == status
    assert [ruling.reason for ruling in office.ledger.entries] == [reason]
    assert "สมชาย" not in answer.text


async def test_nothing_is_disclosed_after_the_key_or_the_block_was_erased(office: Office) -> None:
    office.ring.erased = True
    assert (await office.ask()).status_code == 410
    office.ring.erased = False
    gone = ReportErased(report_id="rep-1", incident_id="inc-1", desk="670101", erased_at=NOON)
    await office.note(gone, received())  # the report comes again, after its erasure
    assert (await office.ask()).status_code == 410
    link = ReportLink(report_id="rep-1", linked_at=NOON, erased=True)
    await office.note(updated(2, "reports", reports=(link,)), opened())  # the older event comes again
    assert (await office.ask()).status_code == 410
    assert [ruling.reason for ruling in office.ledger.entries] == ["erased", "erased", "erased"]


async def test_a_block_that_cannot_be_read_shows_nothing_of_itself(office: Office) -> None:
    office.ring.plaintext = "สมชาย is no JSON".encode()
    answer = await office.ask()
    assert answer.status_code == 409
    assert "สมชาย" not in answer.text


async def test_without_proof_there_is_no_disclosure(office: Office) -> None:
    office.ledger.away = True
    answer = await office.ask()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "content" not in answer.json()


@pytest.mark.parametrize("fault", ["refused", "given up"])
async def test_an_entry_the_broker_will_never_have_is_no_proof(fault: str) -> None:
    delivery = Delivery(1)
    if fault == "refused":
        delivery.refused.append("deliveries")
        delivery.settle(1)
    else:
        delivery.fail(FatalError("deliveries/0 cannot be written"))
    publisher = AsyncMock(spec=Publisher)
    publisher.publish.return_value = delivery
    with pytest.raises(Retry):
        await Ledger(publisher, "/t").record("rescue", "inc-1", "rep-1", "life_safety", Ruling(), NOON)


async def test_while_the_agreements_may_be_out_of_date_nothing_is_disclosed(office: Office) -> None:
    office.agreements.confirm(float("-inf"))
    assert (await office.ask()).status_code == 503


@pytest.mark.parametrize(
    ("key", "status"), [(None, 401), ("wrong", 401), ("other-key", 403), ("officer-key", 403)]
)
async def test_only_an_agency_with_the_scope_may_ask(office: Office, key: str | None, status: int) -> None:
    assert (await office.ask(key=key)).status_code == status
    assert office.ledger.entries == []


async def test_who_asks_too_often_has_to_wait(office: Office) -> None:
    answers = [await office.ask() for _ in range(int(BURST) + 1)]
    assert [answer.status_code for answer in answers] == [200] * int(BURST) + [429]
    assert answers[-1].headers["retry-after"] == "1"
    assert isinstance(office.clock, ManualClock)
    office.clock.advance(1)
    assert (await office.ask()).status_code == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)
NEARLY = {name: st.text() | st.none() | st.just(good) for name, good in ASKED.items()}
BODIES = JSON | st.fixed_dictionaries(NEARLY)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(body=BODIES)
async def test_no_body_makes_it_fail(store: Store, body: Any) -> None:
    office = Office(store)
    office.agree(GRANTS)
    assert (await office.ask(body)).status_code in {404, 422}


def test_the_ledger_says_who_asked_what_for_and_nothing_of_the_content() -> None:
    told = entry("req-1", "rescue", "inc-1", "rep-1", "life_safety", Ruling(None, "mou", 2), NOON)
    [delivery] = told.deliveries
    assert (delivery.outcome, delivery.channel) == (DeliveryOutcome.DELIVERED, "disclosure")
    assert delivery.proof == "report=rep-1;purpose=life_safety"
    [refused] = entry("req-1", "rescue", "i", "r", "p", Ruling("expired"), NOON).deliveries
    assert (refused.outcome, refused.reason) == (DeliveryOutcome.WITHHELD, "expired")
    assert told.decided_at - NOON == timedelta()
