"""What is wrong with a declaration is said when it is made, not when the first record comes."""

import pytest

from shared.bus import Emit, Service
from shared.contracts import Event, IncidentOpened, topics


def test_a_handler_without_an_annotated_event_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="needs an annotated event"):

        @Service("s").on(topics.INCIDENTS)
        def handle(event) -> list[Emit]:  # type: ignore[no-untyped-def]
            return []


def test_one_group_has_one_handler() -> None:
    def handle(event: Event[IncidentOpened]) -> list[Emit]:
        return []

    service = Service("s")
    service.on(topics.INCIDENTS)(handle)
    with pytest.raises(ValueError, match="its own group="):
        service.on(topics.REPORTS_RECEIVED)(handle)
