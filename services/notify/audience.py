"""What must be remembered of one incident: where each agency stands with it, and when to look again."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from sys import intern
from typing import ClassVar

from pydantic import AwareDatetime, Field
from pydantic_core import to_json

from shared.contracts.agency import IncidentShared, Presence, SharedView
from shared.contracts.event import EventData, Model


@dataclass(frozen=True, slots=True)
class Standing:
    """One agency's place in the numbering of one incident. A view is remembered by its digest alone.

    There is one for each agency and incident of the last 90 days: a model would take six times the memory.
    """

    seq: int
    inside: bool
    agreement_id: str
    agreement_version: int
    digest: str


class Audience(Model):
    """The agencies that were ever told of an incident, and what the next review needs to judge it by."""

    agencies: dict[str, Standing] = Field(default_factory=dict)
    category: str = ""
    area: str = ""
    closed: bool = False
    reviews: int = 0
    due: datetime | None = None

    @property
    def inside(self) -> set[str]:
        """The agencies that see the incident now."""
        return {code for code, standing in self.agencies.items() if standing.inside}


class AudienceFact(EventData):
    """Base of what is kept in the log and never on the bus."""

    subject_field: ClassVar[str] = "incident_id"

    incident_id: str


class AudienceNoted(AudienceFact):
    """What the next review needs, where it has changed."""

    type: ClassVar[str] = "th.ruamjai.audience.noted.v1"

    category: str
    area: str
    closed: bool
    reviews: int
    due: AwareDatetime | None


class AudienceForgotten(AudienceFact):
    """The incident has been over for so long that its numbering is given up."""

    type: ClassVar[str] = "th.ruamjai.audience.forgotten.v1"


def digest(view: SharedView | None) -> str:
    """Return what tells one shared view from another without keeping it."""
    return "" if view is None else blake2b(to_json(view), digest_size=16).hexdigest()


def after(audience: Audience, fact: EventData) -> Audience:
    """Return `audience` as it is after `fact`; it may be the same object, changed."""
    match fact:
        case IncidentShared():
            audience.agencies[intern(fact.agency)] = Standing(
                seq=fact.seq,
                inside=fact.presence is not Presence.LEFT,
                agreement_id=intern(fact.agreement_id),
                agreement_version=fact.agreement_version,
                digest=digest(fact.view),
            )
        case AudienceNoted():
            return Audience(agencies=audience.agencies, **fact.model_dump(exclude={"incident_id", "status"}))
        case AudienceForgotten():
            return Audience()
    return audience
