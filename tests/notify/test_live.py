"""notify as it runs: a plain client reads an agency's topic, a receiver its webhook, the ledger tells all."""

import asyncio
import hashlib
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml
from aiokafka import ConsumerRecord
from pydantic_core import from_json

from deploy.local.choose import Chosen
from deploy.local.kafka_server import KafkaServer
from deploy.local.ports import free_port
from services.notify.app import notify
from services.notify.cli import publish_folder
from services.notify.files import AgreementsError
from shared.bus import Service
from shared.bus.admin import wanted
from shared.bus.testing import NOON
from shared.clock import clock_from
from shared.contracts import (
    AgencyHeartbeat,
    DeliveryRecorded,
    EventData,
    IncidentOpened,
    IncidentShared,
    IncidentUpdated,
    ReportReceived,
    Topic,
    decode,
    encode,
)
from shared.contracts.agency import Presence
from shared.contracts.delivery import Delivery
from shared.contracts.ids import new_id
from shared.contracts.report import Reporter
from shared.contracts.topics import (
    AGREEMENTS,
    DELIVERIES,
    INCIDENTS,
    REPORTS_RECEIVED,
    REPORTS_RECEIVED_URGENT,
    agency_incidents,
)
from shared.contracts.view import Lifecycle, ReportLink
from shared.sealing import open_keyring
from shared.settings import Settings
from tests.bus.live import World, workers
from tests.bus.support import header, until
from tests.notify.receiver import SECRET, Receiver, receiving
from tests.notify.support import agreement, opened, updated

NEVER = datetime(2999, 1, 1, tzinfo=UTC)
FAST = 60.0
"""A minute of the agreements lasts a second."""


class Town(World):
    """notify's world: two agencies nobody else has, their agreements, an endpoint and a key."""

    def prepare(self, folder: Path) -> None:
        """Write what notify is told by files."""
        self.folder, mark = folder, uuid4().hex[:8]
        self.rescue, self.hospital, self.incident = f"rescue-{mark}", f"hospital-{mark}", f"inc-{mark}"
        self.category = f"of_{mark}"  # other tests' incidents are none of this town's business
        self.port = free_port()
        digest = hashlib.sha256(b"rescue-key").hexdigest()
        keys = {digest: {"name": f"agency:{self.rescue}", "scopes": ["disclosures"]}}
        (folder / "keys.yaml").write_text(yaml.safe_dump(keys))
        self.extra = {
            "CLOCK_RATE": str(FAST),
            "CLOCK_ANCHOR": datetime.now(UTC).isoformat(),
            "KEYS_URL": f"sqlite:///{folder}/keys.db",
            "MASTER_KEY": b64encode(bytes(32)).decode(),
            "API_KEYS": str(folder / "keys.yaml"),
            "API_PORT": str(self.port),
            "DRAIN_SECONDS": "1",
        }

    @property
    def now(self) -> datetime:
        """What notify's clock shows."""
        return clock_from(self.settings()).now()

    def hook(self, **receivers: Receiver) -> None:
        """Have the rescuers' events sent to endpoints of these names."""
        (self.folder / "secret").write_text("whsec_" + b64encode(SECRET).decode())
        endpoints = {
            name: {"agency": self.rescue, "url": receiver.url, "secrets": [{"file": "secret"}]}
            for name, receiver in receivers.items()
        }
        file = {"endpoints": endpoints, "allowed_networks": ["127.0.0.0/8"]}
        (self.folder / "hooks.yaml").write_text(yaml.safe_dump(file))
        self.extra["WEBHOOKS_FILE"] = str(self.folder / "hooks.yaml")

    def write(self, agency: str, lasts: timedelta, *fields: str, version: int = 1) -> Path:
        """Write an agreement that began an hour ago."""
        folder = self.folder / "agreements"
        folder.mkdir(exist_ok=True)
        terms = {
            "version": version,
            "categories": [self.category],
            "areas": ["67"],
            "fields": list(fields),
            "valid_from": (self.now - timedelta(hours=1)).isoformat(),
            "valid_until": (self.now + lasts).isoformat(),
        }
        file = {"id": f"mou-{agency}", "agency": agency, "parties": [agency], "terms": [terms]}
        (folder / f"{agency}.yaml").write_text(yaml.safe_dump(file))
        return folder

    def create(self, kafka: KafkaServer) -> None:
        """Create the topics that notify needs."""
        inputs = (INCIDENTS, REPORTS_RECEIVED, REPORTS_RECEIVED_URGENT)
        groups: dict[str, tuple[Topic, ...]] = {self.name: (INCIDENTS,), f"{self.name}-disclosure": inputs}
        for endpoint in ("hook", "other"):
            groups[f"{self.name}-webhooks.{endpoint}"] = (agency_incidents(self.rescue),)
        for topic, _ in wanted(groups, [self.rescue, self.hospital]):
            kafka.create_topic(topic.name, topic.partitions)

    async def say(self, topic: Topic, data: EventData) -> None:
        """Append an event as the platform would."""
        id_, key = new_id(), topic.key_of(data)
        await self.send(encode(topic.name, key, data, id=id_, source="/t", time=self.now, traceparent=None))

    def opened(self, **given: Any) -> IncidentOpened:
        """The first event of its incident."""
        return opened(self.incident, category=self.category, **given)

    def updated(self, seq: int, *changed: str, **given: Any) -> IncidentUpdated:
        """A later one."""
        return updated(seq, *changed, incident=self.incident, category=self.category, **given)

    def service(self) -> Service:
        """A new process's declaration."""
        return notify(self.settings())

    async def told(self, agency: str, count: int) -> list[tuple[str, IncidentShared]]:
        """What an agency's topic says of incidents, with the events' ids."""

        async def enough() -> list[tuple[str, IncidentShared]] | None:
            found = [(header_of(r), event_in(r)) for r in await self.read(agency_incidents(agency))]
            shared = [(id_, data) for id_, data in found if isinstance(data, IncidentShared)]
            return shared if len(shared) >= count else None

        return await until(enough, f"{count} events for {agency}", 30)

    async def ledger(self, count: int) -> list[Delivery]:
        """What the ledger says of the incident."""

        async def enough() -> list[Delivery] | None:
            found = [event_in(r) for r in await self.read(DELIVERIES)]
            ours = [e for e in found if isinstance(e, DeliveryRecorded) and e.incident_id == self.incident]
            deliveries = [d for entry in ours for d in entry.deliveries]
            return deliveries if len(deliveries) >= count else None

        return await until(enough, f"{count} deliveries", 30)


def header_of(record: ConsumerRecord) -> str:
    """A record's `ce_id`."""
    return (header(record, "ce_id") or b"").decode()


def event_in(record: ConsumerRecord) -> EventData:
    """A record's body."""
    data: EventData = decode(record.value, record.headers).data
    return data


@pytest.fixture
async def town(chosen_kafka: Chosen[KafkaServer], tmp_path: Path) -> Town:
    """Its topics are there; nothing is agreed yet."""
    town = Town(chosen_kafka.server.url, f"sqlite:///{tmp_path}/notify.db")
    town.prepare(tmp_path)
    await asyncio.to_thread(town.create, chosen_kafka.server)
    return town


async def test_each_agency_follows_along_and_sees_what_its_agreement_allows(town: Town) -> None:
    town.write(town.rescue, timedelta(days=30), "lifecycle", "reports", "sealed")
    await publish_folder(town.settings(), town.write(town.hospital, timedelta(minutes=8), "category", "text"))
    links = (ReportLink(report_id=f"rep-{town.incident}", linked_at=NOON),)
    async with receiving(500, 503) as receiver:
        town.hook(hook=receiver)
        async with town.running(town.service()) as runtime:
            await town.say(AGREEMENTS, agreement(f"ghost-{town.rescue}", areas=("10",), valid_until=NEVER))
            await town.say(INCIDENTS, town.opened(text="ลับ", reports=links))
            [(rescue_id, first)] = await town.told(town.rescue, 1)
            assert first.view is not None
            assert (first.view.lifecycle, first.view.text) == (Lifecycle.RECEIVED, None)
            await until(lambda: len(receiver.got) == 3, "the webhook, after two failures")
            assert from_json(receiver.got[2].body)["id"] == rescue_id
            entered, left = await town.told(town.hospital, 2)
            assert [entered[1].presence, left[1].presence] == [Presence.ENTERED, Presence.LEFT]
            assert [entered[1].seq, left[1].seq] == [1, 2]
            await town.say(
                INCIDENTS,
                town.updated(2, "lifecycle", lifecycle=Lifecycle.ON_SCENE, reports=links),
            )
            [_, (second_id, second)] = await town.told(town.rescue, 2)
            assert (second.seq, second.changed) == (2, ("lifecycle",))
            await until(lambda: len(receiver.got) == 4, "the webhook's second event")
            deliveries = await town.ledger(7)
            await heard(town)
            missed = {"agency": f"ghost-{town.rescue}", "reason": "no_topic"}
            assert runtime.registry.get_sample_value("ruamjai_notify_heartbeats_missed_total", missed)
        proofs = {d.proof for d in deliveries if d.channel == "topic" and d.proof}
        assert proofs == {rescue_id, second_id, entered[0], left[0]}
        hooks = {d.proof for d in deliveries if d.channel == "webhook"}
        assert hooks == {f"status=204;webhook-id={id_}" for id_ in (rescue_id, second_id)}
        assert [d.reason for d in deliveries if d.recipient == town.hospital] == [None, None, "expired"]
        await disclosed(town, links[0].report_id)


async def heard(town: Town) -> None:
    """Return once two heartbeats are on the topic, a minute apart."""

    async def beats() -> list[datetime] | None:
        found = [event_in(r) for r in await town.read(agency_incidents(town.rescue))]
        times = [beat.sent_at for beat in found if isinstance(beat, AgencyHeartbeat)]
        return times if len(times) >= 2 else None

    times: list[datetime] = await until(beats, "two heartbeats")
    assert times[1] - times[0] >= timedelta(minutes=1)


async def disclosed(town: Town, report_id: str) -> None:
    """A second process answers from the same read model, until the key is erased."""
    keys, ring = open_keyring(town.settings())
    await keys.start()
    try:
        sealed = await ring.seal(report_id, '{"text": "คุณสมชาย"}'.encode())
        report = ReportReceived(
            report_id=report_id, received_at=NOON, channel="web", reporter=Reporter.CITIZEN, sealed=sealed
        )
        town.extra.pop("WEBHOOKS_FILE")
        async with town.running(town.service()):
            await town.say(REPORTS_RECEIVED, report)
            answer = await answered(town, report_id, 200)
            assert answer["content"] == {"text": "คุณสมชาย"}
            await ring.erase(report_id)
            await answered(town, report_id, 410)
            reasons = [d.reason for d in await town.ledger(9) if d.channel == "disclosure"]
            assert {None, "erased"} <= set(reasons)
    finally:
        await keys.close()


async def answered(town: Town, report_id: str, status: int) -> dict[str, Any]:
    """The first answer with the status that is waited for."""
    body = {"incident_id": town.incident, "report_id": report_id, "purpose": "life_safety"}
    url = f"http://127.0.0.1:{town.port}/v1/disclosures"

    async def asked() -> dict[str, Any] | None:
        try:
            async with httpx.AsyncClient() as client:
                answer = await client.post(url, json=body, headers={"Authorization": "Bearer rescue-key"})
        except httpx.ConnectError:
            return None
        found: dict[str, Any] = answer.json()
        return found if answer.status_code == status else None

    return await until(asked, f"an answer with status {status}")


async def test_a_webhook_that_was_down_gets_its_events_after_a_restart_in_order(town: Town) -> None:
    await publish_folder(town.settings(), town.write(town.rescue, timedelta(days=30), "text"))
    async with receiving(*[503] * 1_000) as receiver, receiving() as other:
        town.hook(hook=receiver, other=other)
        async with town.running(town.service()) as first:
            await town.say(INCIDENTS, town.opened())
            for seq in (2, 3):
                await town.say(INCIDENTS, town.updated(seq, "text", text=f"{seq}"))
            await until(lambda: len(receiver.got) >= 2, "the endpoint fails")
            await until(lambda: any(w.patience.waiting for w in workers(first)), "the kernel knows it waits")
            assert first.live().ok
            assert first.ready().ok
            ids = [id_ for id_, _ in await town.told(town.rescue, 3)]
            await until(lambda: len(other.got) == 3, "the other endpoint waits for nobody")
        receiver.statuses.clear()
        failed = len(receiver.got)
        async with town.running(town.service()):
            await until(lambda: len(receiver.got) >= failed + 3, "the endpoint takes what waited")
            await town.ledger(9)
    entries = {
        (header_of(r), r.value) for r in await town.read(DELIVERIES) if r.key == town.incident.encode()
    }
    assert len({id_ for id_, _ in entries}) == len(entries) == 9, "each endpoint's entries are its own"
    assert [got.headers["webhook-id"] for got in receiver.got[failed:]] == ids


async def test_what_is_in_effect_cannot_be_changed_at_once_and_an_agency_needs_its_topic(town: Town) -> None:
    settings: Settings = town.settings()
    folder = town.write(town.rescue, timedelta(days=30), "text")
    await publish_folder(settings, folder)
    await publish_folder(settings, folder)  # unchanged
    town.write(town.rescue, timedelta(days=30), "text", "reports", version=2)
    town.write("nobody-has-this", timedelta(days=1), "text")
    with pytest.raises(AgreementsError) as raised:
        await publish_folder(settings, folder)
    first, second = raised.value.problems
    assert first.startswith(f"mou-{town.rescue}: terms: what is in effect before")
    assert second == (
        "mou-nobody-has-this: agency: agency.nobody-has-this.incidents, agency.nobody-has-this.responses are "
        "missing; run `ruamjai topics create --agency nobody-has-this`"
    )


async def test_an_agency_without_a_topic_keeps_nobody_else_waiting(
    town: Town, chosen_kafka: Chosen[KafkaServer]
) -> None:
    await publish_folder(town.settings(), town.write(town.rescue, timedelta(days=30), "category"))
    ghost = f"ghost-{town.rescue}"
    await town.say(AGREEMENTS, agreement(ghost, categories=(town.category,), valid_until=NEVER))
    async with town.running(town.service()) as runtime:
        await town.say(INCIDENTS, town.opened())
        await town.told(town.rescue, 1)
        withheld, _ = await town.ledger(2)
        assert (withheld.agency, withheld.reason) == (ghost, "no_topic")
        counted = {"agency": ghost, "reason": "no_topic"}
        assert runtime.registry.get_sample_value("ruamjai_notify_withheld_total", counted) == 1
        assert runtime.ready().ok
        chosen_kafka.server.create_topic(agency_incidents(ghost).name)

        async def entered() -> IncidentShared | None:
            await town.say(INCIDENTS, town.updated(2, "category"))
            found = [event_in(record) for record in await town.read(agency_incidents(ghost))]
            return next((event for event in found if isinstance(event, IncidentShared)), None)

        first: IncidentShared = await until(entered, "the topic is noticed", 30)
        assert (first.seq, first.presence) == (1, Presence.ENTERED)
