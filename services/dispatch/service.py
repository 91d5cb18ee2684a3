"""How dispatch is put together: the desks, what follows the stream, and the two ways in for outsiders."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.dispatch.api import commands_api
from services.dispatch.following import KIND, Index, go_on
from services.dispatch.gateway import Gateway
from services.dispatch.handlers import Desks
from services.dispatch.metrics import DispatchMetrics
from services.dispatch.repeats import Repeats
from services.dispatch.responses import Responses
from services.dispatch.turn import Rules
from shared.bus import Emit, Retry, Service
from shared.bus.runtime import Runtime
from shared.bus.sweep import sweep
from shared.contracts import Event, IncidentHandedOver, ResponseSubmitted
from shared.contracts.incident import IncidentEvent
from shared.contracts.topics import DESK_INPUTS, INCIDENTS, agency_responses
from shared.http import load_keys, serve
from shared.pack import load_pack
from shared.pack.watch import PackWatch

INDEX_SECONDS = 0.05
"""How long events gather before the index sees them: far less than the gateway's patience."""


def dispatch(rules: Rules, watch: PackWatch | None = None) -> Service:
    """Return the service for a pack and its rules, and for what `watch` finds in the pack's place."""
    service, responses = Service("dispatch"), Responses()
    current = Current(rules, Desks(rules))
    service.decide(*DESK_INPUTS, by=current.desks, group="dispatch", on_poison="park")
    follower = Follower()
    if watch is not None:
        service.expose(watch.metrics)
        service.beside(lambda _: watch.follow(rules, current.next, current.use))

    @service.on_batch(INCIDENTS, group="dispatch-index", gather=INDEX_SECONDS)
    async def follow(events: Sequence[Event[Any]]) -> Sequence[Iterable[Emit]]:
        return await follower.follow(events)

    topics = [agency_responses(code) for code in sorted({desk.agency for desk in rules.pack.desks})]
    agency_of = {topic.name: topic.name.split(".")[1] for topic in topics}

    @service.on(*topics, group="dispatch-gateway")
    async def answer(event: Event[ResponseSubmitted]) -> Iterable[Emit]:
        return await responses.answer(agency_of[event.topic or ""], event)

    service.beside(sweep)

    @service.beside
    async def commands(runtime: Runtime) -> None:
        assert runtime.store is not None
        keys = load_keys(runtime.settings.api_keys)
        index, metrics = Index(runtime.store.documents(KIND)), DispatchMetrics(runtime.registry)
        gateway = current.gateway = Gateway(current.rules, index, metrics)
        follower.bind(index, metrics)
        responses.bind(gateway, runtime.store, runtime.clock)
        app = commands_api(gateway, Repeats(runtime.store), keys, runtime.publisher, runtime.clock)
        await serve(app, runtime.settings.api_host, runtime.settings.api_port)

    return service


@dataclass
class Current:
    """The rules in use, and who goes by them."""

    rules: Rules
    desks: Desks
    gateway: Gateway | None = None

    def next(self, folder: Path) -> Rules:
        """Return the rules with the pack in `folder`. Raises PackError."""
        return self.rules.after(load_pack(folder))

    def use(self, rules: Rules) -> None:
        """Go by other rules. Topics of agencies that are new to the pack are followed after a restart."""
        self.rules = rules
        self.desks.use(rules)
        if self.gateway is not None:
            self.gateway.rules = rules


class Follower:
    """Keeps the index and the counts, and lets hand-overs go on."""

    def __init__(self) -> None:
        self._bound: tuple[Index, DispatchMetrics] | None = None

    def bind(self, index: Index, metrics: DispatchMetrics) -> None:
        """Start to work."""
        self._bound = index, metrics

    async def follow(self, events: Sequence[Event[Any]]) -> Sequence[Iterable[Emit]]:
        """Note what happened; answer a hand-over with the go-ahead."""
        if self._bound is None:
            raise Retry("the index starts")
        index, metrics = self._bound
        await index.note([event.data for event in events if isinstance(event.data, IncidentEvent)])
        metrics.count(events)
        return [list(go_on(event)) if isinstance(event.data, IncidentHandedOver) else [] for event in events]
