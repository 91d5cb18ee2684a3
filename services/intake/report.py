"""What a caller sends and gets: the models of the HTTP API."""

import re
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from shared.contracts.event import Status
from shared.contracts.report import Reporter
from shared.contracts.values import UNKNOWN_CATEGORY, Code, Id, Priority
from shared.text import ERA

TEXT_CHARACTERS = 2_000
"""Normalising makes a text at most three times as long: it still fits the event's 8,000."""
_INSTANT = re.compile(r"(\d{4})(-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d))")


def plausible(value: object) -> object:
    """Return an RFC 3339 instant in the common era; devices set to the Buddhist era send 25xx.

    None for a year that cannot be meant: a wrong clock must not cost the report.
    """
    if value is None:
        return None
    found = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("an instant looks like 2026-11-23T17:15:30+07:00")
    year = int(found[1])
    common = year - ERA if 2500 <= year < 2600 else year
    return f"{common}{found[2]}" if 2000 <= common < 2100 else None


Line = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Degrees = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Input(BaseModel):
    """Base of what is sent: unknown fields are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Where(Input):
    """A point in WGS 84."""

    lat: Degrees = Field(ge=-90, le=90, description="Latitude, degrees north")
    lon: Degrees = Field(ge=-180, le=180, description="Longitude, degrees east")


class Person(Input):
    """Who reports; all of it is sealed and none of it is on the bus."""

    name: Line | None = None
    phone: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None
    line_id: Line | None = None
    address: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None


class NewReport(Input):
    """A report as it is sent."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=TEXT_CHARACTERS)] = Field(
        description="What happens, in the reporter's words; sealed as it is, forwarded with numbers masked"
    )
    point: Where | None = Field(default=None, description="Where it happens")
    category: Code = Field(
        default=UNKNOWN_CATEGORY, description="What it is about; decided by rules if unknown"
    )
    priority: Priority | None = Field(
        default=None, description="How soon somebody must go, as the sender sees it"
    )
    channel: Code = Field(default="web", description="How it came in: web, line, phone, sensor ...")
    reporter_kind: Reporter = Field(
        default=Reporter.CITIZEN, description="officer and sensor need an API key"
    )
    reporter: Person | None = Field(default=None, description="Who reports")
    reported_at: Annotated[AwareDatetime | None, BeforeValidator(plausible)] = Field(
        default=None,
        description="When the device says it was written, RFC 3339; an implausible year is ignored",
    )
    status: Status = Field(default=Status.ACTUAL, description="actual, exercise or test")


class Received(BaseModel):
    """The answer: the report is durable and will be acted on."""

    tracking_code: str = Field(
        description="Proves that the report is yours: keep it, tell nobody", pattern=r"^[A-Z2-7]{32}$"
    )
    report_id: Id = Field(description="Id of the report on the bus")
    status_url: str = Field(description="Where its status is")
