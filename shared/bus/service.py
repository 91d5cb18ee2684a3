"""How a service is declared: which handler answers which topics. Everything else comes with it."""

import asyncio
import sys
from collections.abc import Callable, Collection, Coroutine
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, get_args

from prometheus_client.registry import Collector

from shared.bus.accepted import accepted_by
from shared.bus.decider import Decider
from shared.bus.emit import Encoder
from shared.bus.journal import Journal
from shared.bus.processor import Processor, Workplace
from shared.bus.stateful import Stateful
from shared.bus.stateless import Batch, Each
from shared.bus.subscription import OnPoison, Subscription
from shared.bus.sweep import sweep
from shared.contracts.event import EventData
from shared.contracts.topics import Topic
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.bus.runtime import Runtime

F = TypeVar("F", bound=Callable[..., Any])
Part = Callable[["Runtime"], Coroutine[Any, Any, None]]


class Service:
    """A named set of consumers, and of what runs beside them, in one process.

    The name is also the consumer group, unless a declaration names another: one group is one consumer over
    all of its topics. A handler's annotation says which events it takes; others are passed over.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.subscriptions: list[Subscription] = []
        self.parts: list[Part] = []
        self.collectors: list[Collector] = []
        self.early_parts: list[Part] = []
        self.parts_store = False
        self._encoder = Encoder(name)

    def on(self, *topics: Topic, group: str | None = None, on_poison: OnPoison = "skip") -> Callable[[F], F]:
        """Declare a handler of one event: `def handler(event: Event[A]) -> Iterable[Emit]`, or async."""

        def declare(handler: F) -> F:
            accepted = accepted_by(handler)

            def make(place: Workplace) -> Processor:
                return Each(place, accepted, handler, self._encoder)

            self._add(topics, group, handler.__name__, accepted, make, on_poison)
            return handler

        return declare

    def on_batch(
        self, *topics: Topic, group: str | None = None, on_poison: OnPoison = "skip", gather: float = 0.0
    ) -> Callable[[F], F]:
        """Declare a handler of many: `def handler(events: Sequence[Event[A]]) -> Sequence[Iterable[Emit]]`.

        It answers with one iterable per event, in order. If it raises, it is called with one event at a time.
        As with a read model, `gather` may say for how many seconds records gather at the brokers first: a
        fetch, a slice and a write then serve many of them. From 0.1 on nobody is taken to wait for the
        answer: others in the process go first, and nothing overtakes.
        """

        def declare(handler: F) -> F:
            accepted = accepted_by(handler)

            def make(place: Workplace) -> Processor:
                return Batch(place, accepted, handler, self._encoder)

            self._add(topics, group, handler.__name__, accepted, make, on_poison, gather=gather)
            return handler

        return declare

    def decide(
        self, *topics: Topic, by: Decider[Any], group: str | None = None, on_poison: OnPoison = "skip"
    ) -> None:
        """Declare a stateful consumer: `by` decides, on the commit log, with a state per record key.

        Where `by` lets keys rest, what has been kept for long enough is swept beside it.
        """
        accepted = accepted_by(by.decide, 1)

        def make(place: Workplace) -> Processor:
            if place.store is None or place.appends is None:
                raise RuntimeError("a stateful consumer needs a store")
            stream = f"{place.group}/{place.partition}"
            journal: Journal[Any] = Journal(place.store, place.appends, stream, by)
            return Stateful(place, accepted, by, journal, self._encoder)

        self._add(topics, group, type(by).__name__, accepted, make, on_poison, stateful=True)
        if by.rest is not None:
            self.beside(sweep)

    def beside(self, part: "Part", *, without_broker: bool = False, without_store: bool = False) -> "Part":
        """Declare what runs beside the consumers, such as an HTTP API: `async def part(runtime) -> None`.

        It starts once the broker and the store answer and is cancelled when the service is to stop, before
        the consumers drain; what it raises stops the service. A part that does its work without the broker
        starts once the store answers, must not publish, and makes the service ready without the broker too.
        A part that remembers nothing says so: for its sake the service needs no store.
        """
        self.parts_store = self.parts_store or not without_store
        (self.early_parts if without_broker else self.parts).append(part)
        return part

    def expose(self, *collectors: Collector) -> None:
        """Show metrics of the service's own at `/metrics`, beside those that every service has."""
        self.collectors += collectors

    def _add(
        self,
        topics: tuple[Topic, ...],
        group: str | None,
        handler: str,
        accepted: Collection[type[EventData]],
        make: Callable[[Workplace], Processor],
        on_poison: OnPoison,
        *,
        stateful: bool = False,
        gather: float = 0.0,
    ) -> None:
        group = group or self.name
        if not topics or not all(isinstance(topic, Topic) for topic in topics):
            raise ValueError(f"{handler} needs at least one topic, such as shared.contracts.topics.INCIDENTS")
        if on_poison not in get_args(OnPoison):
            raise ValueError(f"{handler}: on_poison is one of {', '.join(get_args(OnPoison))}")
        if any(s.group == group for s in self.subscriptions):
            raise ValueError(
                f"{handler}: group {group!r} has a handler already; give this one its own group="
            )
        for topic in topics:
            if topic.types and not any(body.type in topic.types for body in accepted):
                raise ValueError(f"{handler} takes no event of {topic}, which has {', '.join(topic.types)}")
        self.subscriptions.append(
            Subscription(group, handler, topics, make, stateful, on_poison, gather=gather)
        )

    def run(self) -> None:
        """Run until SIGTERM or SIGINT, then drain. See `launch`."""
        launch(self.name, lambda _: self)


def launch(name: str, build: Callable[[Settings], Service]) -> NoReturn:
    """Run what `build` makes of the settings of the service `name` until SIGTERM or SIGINT, then drain.

    Exits with 78 when the settings, or what they name, cannot be used (`build` and the parts of the service
    raise ConfigurationError), with 70 when it cannot go on, both with a logged reason.
    """
    from shared.bus.runtime import run  # the runtime imports declarations, not the other way round

    sys.exit(asyncio.run(run(name, build)))
