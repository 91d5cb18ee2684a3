"""Certificates are changed while records flow, as docs/operate/certificates.md says: none is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry

from deploy.local.access import Access
from deploy.local.certificates import Authority
from deploy.local.choose import started
from deploy.local.secure import SecureKafka, secure_kafka
from services.declared import declared
from shared.bus.clients import make_producer
from shared.bus.publisher import Delivery, Publisher
from shared.contracts.topics import REPORTS_LOCATED, REPORTS_RECEIVED
from shared.rights import Right
from shared.settings import load_settings
from shared.telemetry import Metrics
from tests.acl.working import at_work, everything
from tests.bus.support import record_of, report, until
from tests.intake.live import new_door

EVERY = 0.05


@asynccontextmanager
async def flowing(access: Access) -> AsyncIterator[list[Delivery]]:
    """Reports from one process, never restarted, one each EVERY seconds; at the end all are acknowledged."""
    settings = load_settings("intake", access.environment())
    publisher = Publisher(lambda: make_producer(settings), Metrics(CollectorRegistry()))
    await publisher.start()
    sent: list[Delivery] = []

    async def flow() -> None:
        while True:
            data = report(len(sent), category="theft")
            sent.append(await publisher.publish([record_of(REPORTS_RECEIVED, data)]))
            await asyncio.sleep(EVERY)

    task = asyncio.create_task(flow())
    try:
        yield sent
        task.cancel()
        async with asyncio.timeout(60):
            await asyncio.gather(*(delivery.wait() for delivery in sent))
    finally:
        task.cancel()
        await publisher.close()


async def all_located(kafka: SecureKafka, wanted: set[str]) -> None:
    """Wait until all these reports have gone through geo."""

    async def there() -> bool:
        records = await everything(kafka, REPORTS_LOCATED.name)
        return wanted <= {dict(record.headers)["ce_subject"].decode() for record in records}

    held: bool = await until(there, "the reports go through", 60)
    assert held


async def test_a_service_gets_a_new_certificate_and_no_record_is_lost(
    made: SecureKafka, tmp_path: Path
) -> None:
    """Restarted with new files, as a rolling restart does with one replica after the other."""
    async with flowing(made.access("intake")) as sent:
        for _ in range(2):
            access, so_far = made.certified("geo"), len(sent)
            [geo] = [service for service in declared() if service.name == "geo"]
            async with at_work(access, geo, tmp_path, new_door()):
                await all_located(made, {f"rep-{n}" for n in range(so_far + 40)})


async def test_the_authority_is_changed_under_a_process_that_runs_and_no_record_is_lost(
    tmp_path: Path,
) -> None:
    kafka = started(secure_kafka(tmp_path / "kafka", {"intake": "password"}))
    with kafka:
        kafka.create_topic(REPORTS_RECEIVED.name)
        kafka.give("intake", [Right("topic", REPORTS_RECEIVED.name, ("Write",))])
        async with flowing(kafka.access("intake")) as sent:
            await until(lambda: len(sent) > 20, "records flow")
            old, new = kafka.authority.certificate, Authority(tmp_path / "new")
            old.write_text(old.read_text() + new.certificate.read_text())  # everybody trusts both
            await asyncio.to_thread(_restart, kafka)
            keystore = tmp_path / "kafka" / "tls" / "broker-1.pem"
            keystore.write_text(new.issue("broker-1").together())
            await asyncio.to_thread(_restart, kafka)
            old.write_text(new.certificate.read_text())  # nobody trusts the old one any more
            await asyncio.to_thread(_restart, kafka)
            so_far = len(sent)
            await until(lambda: len(sent) > so_far + 20, "records flow")
        records = await everything(kafka, REPORTS_RECEIVED.name)
        arrived = [dict(record.headers)["ce_subject"].decode() for record in records]
        assert list(dict.fromkeys(arrived)) == [f"rep-{n}" for n in range(len(sent))]
        print(f"{len(sent)} records in order, {len(arrived) - len(sent)} of them twice")


def _restart(kafka: SecureKafka) -> None:
    kafka.stop()
    kafka.start()
