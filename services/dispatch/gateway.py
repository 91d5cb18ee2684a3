"""Where outsiders' wishes become commands: may this sender say it, and which desk decides?"""

import asyncio
import time
from contextlib import nullcontext
from dataclasses import dataclass

from services.dispatch.asked import Why
from services.dispatch.following import Index, Seen
from services.dispatch.incidents import OVER
from services.dispatch.metrics import DispatchMetrics, Gate
from services.dispatch.turn import Rules
from shared.contracts import CommandRequested
from shared.contracts.command import CommandArgs, CommandBody, Verb
from shared.contracts.view import TaskView
from shared.text import public

INTERNAL = {Verb.TASK_ASSIGN, Verb.TASK_ESCALATE, Verb.INCIDENT_HAND_OVER}
"""Verbs that only desks and officers use."""
PATIENCE_SECONDS = 3.0
"""How long a sender may be ahead of what this process has seen of the stream."""
LOOK_SECONDS = 0.05
LONGEST_NOTE = 2_000
"""Characters; normalising may make a text longer."""


@dataclass(frozen=True, slots=True)
class NotPassed(Exception):  # noqa: N818
    """What was sent goes to no desk. `ahead`: its sender may know more than the index has seen yet."""

    reason: Why
    detail: str
    desk: str
    ahead: bool = False


@dataclass(slots=True)
class Gateway:
    """Checks and routes; `index` knows where incidents are."""

    rules: Rules
    index: Index
    metrics: DispatchMetrics

    async def command(
        self,
        body: CommandBody,
        actor: str,
        incident_id: str | None,
        patience: float = 0.0,
        places: asyncio.Semaphore | None = None,
    ) -> CommandRequested:
        """Return the command for the desk that decides on `body`. Raises NotPassed.

        `patience`: for how many seconds the sender may be ahead of what the index has seen of the stream;
        nobody is waited for while all `places` are taken.
        """
        try:
            made = await self._patiently(body, actor, incident_id, patience, places)
        except NotPassed as no:
            self.metrics.gate.labels(Gate(no.reason.value).value).inc()
            raise
        self.metrics.gate.labels(Gate.PASSED.value).inc()
        return made

    async def _patiently(
        self,
        body: CommandBody,
        actor: str,
        incident_id: str | None,
        patience: float,
        places: asyncio.Semaphore | None,
    ) -> CommandRequested:
        try:
            return await self._command(body, actor, incident_id)
        except NotPassed as no:
            full = places is not None and places.locked()
            if not no.ahead or not incident_id or not patience or full:
                raise
        async with places or nullcontext():
            return await self._later(body, actor, incident_id, patience)

    async def _later(
        self, body: CommandBody, actor: str, incident_id: str, patience: float
    ) -> CommandRequested:
        pause, left = LOOK_SECONDS, patience
        deadline = time.monotonic() + patience
        while True:
            await asyncio.sleep(min(pause, left))
            try:
                return await self._command(body, actor, incident_id)
            except NotPassed as no:
                left = deadline - time.monotonic()
                if not no.ahead or left <= 0.0:
                    raise
            pause *= 1.5

    async def _command(self, body: CommandBody, actor: str, incident_id: str | None) -> CommandRequested:
        seen = await self.index.find(incident_id) if incident_id else None
        desk = self._desk(body, actor, seen)
        reopen = body.verb == Verb.INCIDENT_REOPEN and seen is not None
        return CommandRequested(
            desk=desk,
            actor=actor,
            verb=body.verb,
            incident_id=incident_id,
            task_id=body.task_id,
            unit_id=body.unit_id,
            args=masked(body.args),
            view=seen.view if seen and reopen else None,
            seq=seen.seq if seen and reopen else None,
            status=seen.status if seen else body.status,
        )

    def _desk(self, body: CommandBody, actor: str, seen: Seen | None) -> str:
        kind, _, agency = actor.partition(":")
        unit = self.rules.units.get(body.unit_id or "")
        if body.verb == Verb.UNIT_SET_STATE and unit is not None:
            return self._of_agency(unit.desk, kind, agency)
        if seen is None:
            triage, ahead = self.rules.pack.triage_desk, body.verb != Verb.UNIT_SET_STATE
            raise NotPassed(Why.UNKNOWN_INCIDENT, "no such incident is known here", triage, ahead)
        if kind == "agency" and body.verb in INTERNAL:
            raise NotPassed(Why.NOT_ALLOWED, "only desks and officers ask for this", seen.desk)
        if kind == "agency" and not self._takes_part(agency, seen):
            no_part = "the agency takes no part in this incident"
            raise NotPassed(Why.NOT_ALLOWED, no_part, seen.desk, ahead=True)
        task = meant(body, kind, agency, seen)
        return task.desk if task and body.verb.startswith("task.") else seen.desk

    def _of_agency(self, desk: str, kind: str, agency: str) -> str:
        if kind == "agency" and self.rules.spec(desk).agency != agency:
            raise NotPassed(Why.NOT_ALLOWED, "the unit belongs to another agency", desk)
        return desk

    def _takes_part(self, agency: str, seen: Seen) -> bool:
        home = self.rules.spec(seen.view.desk).agency
        return agency == home or any(task.agency == agency for task in seen.view.tasks)


def masked(args: CommandArgs) -> CommandArgs:
    """Return `args` with the note as many may read it."""
    return args.model_copy(update={"note": args.note and public(args.note)[:LONGEST_NOTE]})


def meant(body: CommandBody, kind: str, agency: str, seen: Seen) -> TaskView | None:
    """Return the live task that is meant: the one named, the unit's, or the agency's own."""
    live = [task for task in seen.view.tasks if task.state not in OVER]
    for task in live:
        if body.task_id == task.task_id or (not body.task_id and body.unit_id in task.units):
            return task
    own = [task for task in live if kind == "agency" and task.agency == agency and not body.task_id]
    return own[0] if own else None
