"""The agencies' own topics: each answer becomes a command, or is refused where its sender can read it."""

import time
from datetime import timedelta
from functools import partial
from typing import Annotated

from pydantic import Field

from services.dispatch.asked import Why
from services.dispatch.firsts import Firsts, Made
from services.dispatch.gateway import Gateway, NotPassed
from shared.bus import Emit, Retry
from shared.clock import Clock
from shared.contracts import CommandRefused, CommandRequested, Event, ResponseSubmitted, Status
from shared.contracts.ids import derived_id
from shared.contracts.topics import DESKS_COMMANDS, INCIDENTS
from shared.store import Store

KIND = "responses_answered"
KEPT = timedelta(days=7)
"""As long as the topic itself: until then an answer may be read again."""
PATIENCE_SECONDS = 5.0
"""How long an agency's answer may be ahead of what this process has seen of the stream."""
PAUSE_SECONDS = 60.0
"""For how long an agency that named an incident which never came is believed at once not to know."""


class Answered(Made):
    """What was made of an agency's answer: only a refusal has a reason."""

    said: Annotated[CommandRefused | CommandRequested, Field(union_mode="left_to_right")]


class Responses:
    """Decides once on each answer, whatever the index says when it is read again."""

    def __init__(self, patience: float = PATIENCE_SECONDS, pause: float = PAUSE_SECONDS) -> None:
        self._patience, self._pause = patience, pause
        self._bound: tuple[Gateway, Firsts[Answered], Clock] | None = None
        self._since: dict[str, float] = {}
        self._impatient: dict[str, float] = {}

    def bind(self, gateway: Gateway, store: Store, clock: Clock) -> None:
        """Start to work."""
        self._bound = gateway, Firsts(store, KIND, Answered, KEPT), clock

    async def answer(self, agency: str, event: Event[ResponseSubmitted]) -> list[Emit]:
        """Return the command, or the refusal. Raises Retry while the incident may be on its way."""
        if self._bound is None:
            raise Retry("the gateway starts")
        gateway, firsts, clock = self._bound
        made = await firsts.first(
            derived_id(agency, KIND, event.id, 0), partial(self._make, gateway, clock, agency, event)
        )
        return [Emit(DESKS_COMMANDS if isinstance(made.said, CommandRequested) else INCIDENTS, made.said)]

    async def _make(
        self, gateway: Gateway, clock: Clock, agency: str, event: Event[ResponseSubmitted]
    ) -> Answered:
        try:
            command = await gateway.command(event.data, f"agency:{agency}", event.data.incident_id)
        except NotPassed as no:
            if no.reason is Why.UNKNOWN_INCIDENT and self._may_come(agency, time.monotonic()):
                raise Retry("the incident may be on its way") from None
            return Answered(at=clock.now(), said=refusal(event, agency, no))
        self._since.pop(agency, None)
        return Answered(at=clock.now(), said=command.model_copy(update={"command_id": event.id}))

    def _may_come(self, agency: str, now: float) -> bool:
        if now < self._impatient.get(agency, 0.0):
            return False
        if now - self._since.setdefault(agency, now) < self._patience:
            return True
        del self._since[agency]
        self._impatient[agency] = now + self._pause
        return False


def refusal(event: Event[ResponseSubmitted], agency: str, no: NotPassed) -> CommandRefused:
    """Return what tells an agency that its answer went to no desk."""
    return CommandRefused(
        command_id=event.id,
        verb=event.data.verb,
        desk=no.desk,
        actor=f"agency:{agency}",
        incident_id=event.data.incident_id,
        reason=no.reason.value,
        detail=no.detail,
        status=Status.ACTUAL,
    )
