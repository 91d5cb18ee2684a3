"""Where outsiders' wishes become commands: may this sender say it, and which desk decides?"""

import asyncio
import time
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
LOOK_SECONDS = 0.1
LONGEST_NOTE = 2_000
"""Characters; normalising may make a text longer."""


@dataclass(frozen=True, slots=True)
class NotPassed(Exception):  # noqa: N818
    """What was sent goes to no desk."""

    reason: Why
    detail: str
    desk: str


@dataclass(slots=True)
class Gateway:
    """Checks and routes; `index` knows where incidents are."""

    rules: Rules
    index: Index
    metrics: DispatchMetrics

    async def command(
        self, body: CommandBody, actor: str, incident_id: str | None, patience: float = 0.0
    ) -> CommandRequested:
        """Return the command for the desk that decides on `body`. Raises NotPassed.

        `patience`: for how many seconds an incident that is unknown may yet be seen on the stream.
        """
        try:
            made = await self._command(body, actor, incident_id, patience)
        except NotPassed as no:
            self.metrics.gate.labels(Gate(no.reason.value).value).inc()
            raise
        self.metrics.gate.labels(Gate.PASSED.value).inc()
        return made

    async def _command(
        self, body: CommandBody, actor: str, incident_id: str | None, patience: float
    ) -> CommandRequested:
        if body.verb == Verb.UNIT_SET_STATE:  # which is about no incident
            patience = 0.0
        seen = await self._seen(incident_id, patience) if incident_id else None
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

    async def _seen(self, incident_id: str, patience: float) -> Seen | None:
        deadline, pause = time.monotonic() + patience, LOOK_SECONDS
        while True:
            seen = await self.index.find(incident_id)
            if seen is not None or time.monotonic() >= deadline:
                return seen
            await asyncio.sleep(pause)
            pause *= 1.5

    def _desk(self, body: CommandBody, actor: str, seen: Seen | None) -> str:
        kind, _, agency = actor.partition(":")
        unit = self.rules.units.get(body.unit_id or "")
        if body.verb == Verb.UNIT_SET_STATE and unit is not None:
            return self._of_agency(unit.desk, kind, agency)
        if seen is None:
            triage = self.rules.pack.triage_desk
            raise NotPassed(Why.UNKNOWN_INCIDENT, "no such incident is known here", triage)
        task = meant(body, kind, agency, seen)
        if kind == "agency" and (body.verb in INTERNAL or not self._takes_part(agency, seen)):
            raise NotPassed(Why.NOT_ALLOWED, "the agency takes no part in this incident", seen.desk)
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
