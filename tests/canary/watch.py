"""Plays the morning on the four services and looks for its canaries wherever something can be read."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer

from deploy.local.demo.evidence import Evidence, gather, written
from deploy.local.demo.hook import Hook
from deploy.local.demo.judge import is_in, judge, leaks
from deploy.local.demo.play import Stage, play, stage
from deploy.local.demo.reporters import Sent
from deploy.local.demo.running import app, running
from deploy.local.demo.world import World
from tests.bench.sink import sink
from tests.canary.morning import (
    CITIZENS,
    DEAD_LETTERS,
    MAY_ASK,
    MORNING,
    NEVER_TAKEN,
    PHONES,
    SEES_LITTLE,
    SPELT,
    WITHHELD,
)

OPERATORS = {"api-keys.yaml", "webhooks.yaml", "hook-secret"}
"""Files that were made for the services, not by them."""
POISON = b'{"no": "event"}'


@dataclass(frozen=True)
class Watched:
    """What there is to read, and how each agency's request for the sealed block was answered.

    `wrong` is what did not go as the morning says, whoever can read what.
    """

    evidence: Evidence
    disclosures: Mapping[str, httpx.Response]
    wrong: Sequence[str]

    def at(self, agency: str) -> bytes:
        """Everything that an agency got, on its topic and at its webhook."""
        got = [(r.value + str(r.headers).encode()) for r in self.evidence.partners[agency]]
        return b"\n".join([*got, *(self.evidence.bodies if agency == MORNING.hooked else ())])

    def found(self) -> list[str]:
        """Every canary that somebody can read who must not."""
        return [*leaks(self.evidence), *self._withheld()]

    def _withheld(self) -> Iterator[str]:
        for agency, canaries in WITHHELD.items():
            got = self.at(agency)
            yield from (f"leaked: {agency} was told {canary}" for canary in canaries if is_in(canary, got))


async def watched(folder: Path, servers: str | None, start: Callable[[str], Sequence[str]] = app) -> Watched:
    """Play the morning with all data in `folder`; what the services write while they stop counts too."""
    hook = Hook(MORNING.hook_failures)
    receiver = await asyncio.start_server(hook.answer, "127.0.0.1", 0)
    port = receiver.sockets[0].getsockname()[1]
    with sink(keep=True) as collector:
        extra = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "TRACE_SAMPLE_RATIO": "1",
            "LOG_LEVEL": "DEBUG",
        }
        with running(MORNING, folder, port, servers, start=start, extra=extra) as world:
            hook.secret = world.credentials.signing
            async with receiver, stage(MORNING, world, hook) as found:
                await play(found)
                await poison(world)
                disclosures = {agency: await ask(found, agency) for agency in (MAY_ASK, SEES_LITTLE)}
                await buried(found)
                seen = gather(found)
        files = {**seen.files, **written(folder)}
        evidence = replace(seen, files=files, traces=collector.bodies or ())
    return Watched(with_canaries(evidence, world), disclosures, judge(evidence).problems)


def with_canaries(evidence: Evidence, world: World) -> Evidence:
    """The evidence, with everything noted as secret that nobody may read in the open."""
    secrets = {"accident": (*PHONES, *CITIZENS, SPELT)}
    accepted = [replace(s, secrets=(*s.secrets, *secrets.get(s.scene, ()))) for s in evidence.accepted]
    accepted += [Sent("that was refused", "", 0.0, (NEVER_TAKEN,))]
    keys = world.credentials
    accepted += [Sent("that is a key", "", 0.0, (keys.master_key, *keys.keys.values()))]
    files = {name: content for name, content in evidence.files.items() if name not in OPERATORS}
    return replace(evidence, accepted=accepted, files=files)


async def poison(world: World) -> None:
    """Give the consumers something for their dead letters."""
    async with AIOKafkaProducer(bootstrap_servers=world.kafka) as producer:
        for topic in ("reports.received", "reports.located", "incidents", f"agency.{MAY_ASK}.responses"):
            await producer.send_and_wait(topic, POISON, b"poison")


async def buried(found: Stage) -> None:
    """Wait until every group that reads one of these has its dead letter."""
    async with asyncio.timeout(20):
        while len({r.topic for r in found.witness.seen if r.topic.endswith(".dlq")}) < DEAD_LETTERS:
            await asyncio.sleep(0.05)


async def ask(found: Stage, agency: str) -> httpx.Response:
    """Let an agency ask for what is sealed in the first report of the accident."""
    report_id = next(sent.report_id for sent in found.reporters.accepted if sent.scene == "accident")
    incidents = [r.data for r in found.witness.of("incidents") if r.kind == "incident.opened"]
    incident_id = next(i["incident_id"] for i in incidents if _has(i, report_id))
    body = {"incident_id": incident_id, "report_id": report_id, "purpose": "life_safety"}
    url = f"{found.world.api('notify')}/v1/disclosures"
    return await found.reporters.client.post(url, json=body, headers=found.world.bearer(f"agency:{agency}"))


def _has(incident: dict[str, Any], report_id: str) -> bool:
    return any(link["report_id"] == report_id for link in incident["view"]["reports"])
