"""The director: plays the day on a running world and collects what independent clients saw of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer

from deploy.local.demo.crews import Crews, by_http, by_topic
from deploy.local.demo.day import Chapter, Day, Scene
from deploy.local.demo.hook import Hook
from deploy.local.demo.plot import Plot
from deploy.local.demo.reporters import Reporters
from deploy.local.demo.witness import Reader, Seen, reading
from deploy.local.demo.world import WITNESS, World, publish

CHAPTER_SECONDS = 45.0
QUIET_SECONDS = 40.0
SILENCE_SECONDS = 2.0
LEAVE_SECONDS = 10.0
LOOK_SECONDS = 0.1
BETWEEN_REPORTS = 0.15
OFFICER = "officer:control-room"
ANSWERS_ITSELF = "rescue"
"""The partner whose own system answers on its responses topic; officers answer for the others over HTTP."""


@dataclass
class Stage:
    """Everything that is watched while the day is played, and judged afterwards."""

    day: Day
    world: World
    hook: Hook
    reporters: Reporters
    plot: Plot
    witness: Reader
    partners: dict[str, Reader] = field(default_factory=dict)
    chapter: str = "before dawn"
    expires: datetime = field(default_factory=lambda: datetime.max.replace(tzinfo=UTC))
    troubles: list[str] = field(default_factory=list)


@asynccontextmanager
async def stage(day: Day, world: World, hook: Hook, *, insist: bool = False) -> AsyncIterator[Stage]:
    """A stage with its clients at work; with `insist` some who send what was accepted again and again."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=30))
        producer = AIOKafkaProducer(**world.client(f"agency-{ANSWERS_ITSELF}"))
        await producer.start()
        stack.push_async_callback(producer.stop)
        reporters = Reporters(world.api("intake"), http)
        witness = await stack.enter_async_context(reading(world.client(WITNESS), world.topics))
        found = Stage(day, world, hook, reporters, Plot(day, reporters), witness)
        for partner in day.partners:
            topics = [f"agency.{partner.agency}.incidents"]
            client = world.client(f"agency-{partner.agency}")
            found.partners[partner.agency] = await stack.enter_async_context(reading(client, topics))
        working = [crews.work() for crews in _crews(found, http, producer)]
        for work in (*working, *([reporters.insist()] if insist else [])):
            task = asyncio.create_task(work)
            task.add_done_callback(lambda done: _note(found, done))
            stack.callback(task.cancel)
        yield found


def _crews(stage: Stage, client: httpx.AsyncClient, producer: AIOKafkaProducer) -> list[Crews]:
    agency = Crews(
        by_topic(producer, ANSWERS_ITSELF), stage.plot, lambda _, task: task["agency"] == ANSWERS_ITSELF
    )

    def others(incident_id: str, task: dict[str, Any]) -> bool:
        return task["agency"] != ANSWERS_ITSELF or incident_id not in agency.views

    say = by_http(client, stage.world.api("dispatch"), stage.world.bearer(OFFICER))
    console = Crews(say, stage.plot, others, closes=True)
    stage.partners[ANSWERS_ITSELF].hear.append(agency.hear)

    def on_incidents(record: Seen) -> None:
        if record.topic == "incidents":
            stage.plot.hear(record)
            console.hear(record)

    stage.witness.hear.append(on_incidents)
    return [agency, console]


def _note(stage: Stage, done: "asyncio.Task[None]") -> None:
    if not done.cancelled() and (error := done.exception()):
        stage.troubles.append(f"a client stopped: {error!r}")


async def play(stage: Stage) -> None:
    """Play the day; what does not come in time is noted as a trouble, for the judge to see."""
    now = datetime.now(UTC)
    await asyncio.to_thread(publish, stage.world, stage.day.partners, now)
    lasting = [partner.seconds for partner in stage.day.partners if partner.seconds]
    if lasting:
        stage.expires = now + timedelta(seconds=min(lasting))
    await _until(stage, lambda: _agreed(stage), 20, "notify knows the agreements")
    if stage.witness.of("incidents", "deliveries"):
        stage.troubles.append("the topics were not empty: give the demonstration a Kafka of its own")
    for chapter in stage.day.chapters:
        if chapter.after_expiry:
            await _expiry(stage)
        await _chapter(stage, chapter)
    await _until(stage, lambda: _settled(stage), QUIET_SECONDS, "webhook and ledger have everything")
    await _silence(stage)


async def _expiry(stage: Stage) -> None:
    """Wait until the agreement has expired and its agency was told so, before anything else happens."""
    left = (stage.expires - datetime.now(UTC)).total_seconds()
    if left < 0:
        stage.troubles.append(f"the agreement expired {-left:.0f} s before its chapters were over: too slow")
    await asyncio.sleep(max(0.0, left))
    await _until(stage, lambda: _taken_leave(stage), LEAVE_SECONDS, "who may see no more is told so")


def _taken_leave(stage: Stage) -> bool:
    """Whether nothing is open in the view of an agency whose agreement has expired."""
    expired = [stage.partners[partner.agency] for partner in stage.day.partners if partner.seconds]
    told = [r.data for reader in expired for r in reader.seen if r.kind == "incident.shared"]
    last = {data["incident_id"]: data["view"] for data in told}
    return all(view is None or view["lifecycle"] == "closed" for view in last.values())


async def _silence(stage: Stage) -> None:
    """Wait until the ledger says no more: what only withholds has no proof to wait for."""
    entries = -1
    while (now := len(stage.witness.of("deliveries"))) != entries:
        entries = now
        await asyncio.sleep(SILENCE_SECONDS)


async def _chapter(stage: Stage, chapter: Chapter) -> None:
    stage.chapter = chapter.name
    first = chapter is stage.day.chapters[0]
    mistakes = [stage.reporters.mistake(wrong) for wrong in stage.day.wrong] if first else []
    await asyncio.gather(*(_scene(stage, scene, n) for n, scene in enumerate(chapter.scenes)), *mistakes)
    stage.plot.done.add(chapter.name)
    due = [s for c in stage.day.chapters for s in c.scenes if (s.until or c.name) == chapter.name]
    what = f"every incident of {chapter.name} is closed"
    await _until(stage, lambda: all(map(stage.plot.closed, due)), CHAPTER_SECONDS, what)


async def _scene(stage: Stage, scene: Scene, number: int) -> None:
    await asyncio.sleep(number * BETWEEN_REPORTS)
    for n in range(len(scene.reports)):
        await stage.reporters.report(scene, n)
        await asyncio.sleep(BETWEEN_REPORTS)


async def _until(stage: Stage, met: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline or stage.world.dead():
            stage.troubles.append(f"not within {seconds:g} s: {what}; ended: {stage.world.dead()}")
            return
        await asyncio.sleep(LOOK_SECONDS)


def _agreed(stage: Stage) -> bool:
    with suppress(httpx.HTTPError):
        text = httpx.get(f"{stage.world.health('notify')}/metrics", timeout=2).text
        return f"ruamjai_notify_agreements {len(stage.day.partners)}.0" in text
    return False


def _settled(stage: Stage) -> bool:
    """Whether the webhook has what its agency has, and the ledger proves every event."""
    shared = {code: _events(reader) for code, reader in stage.partners.items()}
    hooked = {event["id"] for event in stage.hook.got}
    proofs = {d["proof"] for r in stage.witness.of("deliveries") for d in r.data["deliveries"]}
    return shared[stage.day.hooked] <= hooked and set().union(*shared.values()) <= proofs


def _events(reader: Reader) -> set[str]:
    return {record.id for record in reader.seen if record.kind == "incident.shared"}
