"""The agencies' own topics: each answer becomes a command, or is refused where its sender can read it."""

import math
import time
from datetime import timedelta
from functools import partial
from typing import Annotated

from pydantic import Field

from services.dispatch.firsts import Firsts, Made
from services.dispatch.gateway import PATIENCE_SECONDS, Gateway, NotPassed
from shared.bus import Emit, Retry
from shared.clock import Clock
from shared.contracts import CommandRefused, CommandRequested, Event, ResponseSubmitted, Status
from shared.contracts.ids import derived_id
from shared.contracts.topics import DESKS_COMMANDS, INCIDENTS
from shared.store import Store

KIND = "responses_answered"
KEPT = timedelta(days=7)
"""As long as the topic itself: until then an answer may be read again."""
SHORT_SECONDS = 0.2
"""Longer than events gather before the index sees them."""
SPARED, SPARED_FOR_ALL = 20, 1
"""Who was waited for in vain is not waited for as long again for so many times that, nor is anybody else for
a while: the others' answers wait meanwhile."""


class Answered(Made):
    """What was made of an agency's answer: only a refusal has a reason."""

    said: Annotated[CommandRefused | CommandRequested, Field(union_mode="left_to_right")]


class Responses:
    """Decides once on each answer, whatever the index says when it is read again."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self._long, self._short = patience, min(patience, SHORT_SECONDS)
        self._bound: tuple[Gateway, Firsts[Answered], Clock] | None = None
        self._in_vain: dict[tuple[str, float], float] = {}
        """When an agency was last waited for in vain, by how long."""

    def bind(self, gateway: Gateway, store: Store, clock: Clock) -> None:
        """Start to work."""
        self._bound = gateway, Firsts(store, KIND, Answered, KEPT), clock

    async def answer(self, agency: str, event: Event[ResponseSubmitted]) -> list[Emit]:
        """Return the command, or the refusal, when patience with the agency is over. Raises Retry."""
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
        patience = self._patience(agency)
        try:
            command = await gateway.command(event.data, f"agency:{agency}", event.data.incident_id, patience)
        except NotPassed as no:
            if no.ahead and patience:
                self._in_vain[agency, patience] = time.monotonic()
            return Answered(at=clock.now(), said=refusal(event, agency, no))
        return Answered(at=clock.now(), said=command.model_copy(update={"command_id": event.id}))

    def _patience(self, agency: str) -> float:
        now = time.monotonic()
        long_waits = [at for (_, patience), at in self._in_vain.items() if patience == self._long]
        all_spared = now >= max(long_waits, default=-math.inf) + SPARED_FOR_ALL * self._long
        if all_spared and self._spared(agency, self._long, now):
            return self._long
        return self._short if self._spared(agency, self._short, now) else 0.0

    def _spared(self, agency: str, patience: float, now: float) -> bool:
        return now >= self._in_vain.get((agency, patience), -math.inf) + SPARED * patience


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
