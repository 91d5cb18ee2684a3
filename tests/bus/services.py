"""Small services for tests on a real Kafka."""

from collections.abc import Callable, Iterable

from shared.bus import Emit, Service
from shared.bus.subscription import OnPoison
from shared.contracts import Event, ReportReceived, Topic
from tests.bus.live import World

Handler = Callable[[Event[ReportReceived]], None]


def relay(
    world: World, *inputs: Topic, out: Topic, on_poison: OnPoison = "skip", check: Handler | None = None
) -> Service:
    """A service that passes reports on; `check` sees each first, and may raise."""
    service = Service(world.name)

    @service.on(*inputs, on_poison=on_poison)
    def pass_on(event: Event[ReportReceived]) -> Iterable[Emit]:
        if check is not None:
            check(event)
        return [Emit(out, event.data, event.data.channel)]

    return service
