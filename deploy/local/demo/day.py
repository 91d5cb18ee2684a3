"""The script of the day as data: what is reported, by whom it is answered, and what must come of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

import yaml
from pydantic import BaseModel, ConfigDict

SCRIPT = Path(__file__).with_name("day.yaml")


class Part(BaseModel):
    """Base of the script's parts: a key that nobody reads is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Scene(Part):
    """One incident: the reports that must become it, in the order in which they come in."""

    id: str
    at: tuple[float, float] | None = None
    """Latitude and longitude; None where nobody says where it is."""
    reports: tuple[str, ...]
    category: str
    """What intake must find by itself."""
    priority: str
    desk: str
    status: Literal["actual", "exercise"] = "actual"
    silent: dict[str, int] = {}
    """By role: how many escalations it takes until somebody answers."""
    until: str | None = None
    """The chapter with which the work ends; without it the scene's own."""


class Chapter(Part):
    """Some hours of the day: all scenes at once, over when every one of its incidents is closed."""

    name: str
    after_expiry: bool = False
    """Begins only when the agreement that expires has done so."""
    scenes: tuple[Scene, ...]


class Wrong(Part):
    """A request that must be refused."""

    why: str
    status: int
    body: dict[str, Any] | str
    headers: dict[str, str] = {}


class Partner(Part):
    """An agency with a system of its own, and what it may see."""

    agency: str
    name: str
    categories: tuple[str, ...]
    areas: tuple[str, ...]
    fields: tuple[str, ...]
    seconds: int | None = None
    """How long its agreement still lasts; None for years."""

    def agreement(self, now: datetime) -> dict[str, Any]:
        """Return the agreement as operators write it, in effect at `now`."""
        until = now + (timedelta(seconds=self.seconds) if self.seconds else timedelta(days=365))
        return {
            "id": f"mou-{self.agency}",
            "agency": self.agency,
            "parties": [self.agency, "police"],
            "terms": [
                {
                    "version": 1,
                    "categories": list(self.categories),
                    "areas": list(self.areas),
                    "fields": list(self.fields),
                    "valid_from": (now - timedelta(days=1)).isoformat(),
                    "valid_until": until.isoformat(),
                }
            ],
        }


class Expected(Part):
    """What the summary must say, counted by hand; a pair is a range, where timing really decides."""

    reports_sent: int
    accepted: int
    rejected: int
    incidents: int
    linked: int
    assigned: int
    escalated: int
    dead_letters: int
    agency_events: dict[str, int | tuple[int, int]]
    withheld: dict[str, int | tuple[int, int]]


class Cast(Protocol):
    """Who follows the stream in a world: the partners, and the one of them that also has a webhook."""

    @property
    def partners(self) -> Sequence[Partner]: ...
    @property
    def hooked(self) -> str | None: ...


class Day(Part):
    """All of it."""

    hooked: str
    """The agency that also has a webhook."""
    hook_failures: int
    """How often its receiver fails at first."""
    partners: tuple[Partner, ...]
    chapters: tuple[Chapter, ...]
    wrong: tuple[Wrong, ...]
    expected: Expected

    @property
    def scenes(self) -> Iterator[Scene]:
        """Every scene, in order."""
        return (scene for chapter in self.chapters for scene in chapter.scenes)


@cache
def load_day() -> Day:
    """Return the script. Raises ValueError where it contradicts its model."""
    return Day.model_validate(yaml.safe_load(SCRIPT.read_text(encoding="utf-8")))
