"""The value objects that bodies share: codes, places, sealed blocks; every text and list is bounded."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from shared.contracts.event import Model

Id = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[!-~]+$")]
"""An identifier: printable ASCII without spaces, so it fits a header, a record key and a log line."""

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""A word of an open list, such as a category: a release that does not know it can still read the event."""

DottedCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}\.[a-z][a-z_]{0,39}$")]
"""`noun.verb`, such as `task.acknowledge`."""

AGENCY_PATTERN = r"^[a-z0-9][a-z0-9-]{0,31}$"
AgencyCode = Annotated[str, StringConstraints(pattern=AGENCY_PATTERN)]
"""The code of an agency. No dot: it is one part of a topic's name."""

DeskCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Province = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
Amphoe = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
Tambon = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Area = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}([0-9]{2}){0,2}$")]
"""A province, amphoe or tambon: 2, 4 or 6 digits (DOPA); it covers every code that starts with it."""

Text = Annotated[str, StringConstraints(max_length=8_000)]
"""Normalised text with phone numbers and citizen ids masked, in characters."""

Note = Annotated[str, StringConstraints(max_length=2_000)]
Base64 = StringConstraints(min_length=1, max_length=65_536, pattern=r"^[A-Za-z0-9+/]+={0,2}$")

UNKNOWN_CATEGORY = "unknown"


class Priority(StrEnum):
    """How soon somebody must go; a P1 takes the urgent lane."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class GeoPoint(Model):
    """A point in WGS 84."""

    lat: float = Field(ge=-90, le=90, description="Latitude, degrees north")
    lon: float = Field(ge=-180, le=180, description="Longitude, degrees east")


class Place(Model):
    """The administrative areas and safety zones a point lies in; a code is null where none is known."""

    tambon: Tambon | None = Field(default=None, description="Sub-district code, 6 digits (DOPA)")
    amphoe: Amphoe | None = Field(default=None, description="District code, 4 digits (DOPA)")
    province: Province | None = Field(default=None, description="Province code, 2 digits (DOPA)")
    zones: tuple[Id, ...] = Field(
        default=(), max_length=32, fail_fast=True, description="Ids of the safety zones around the point"
    )


class Sealed(Model):
    """Personal data and the original text, encrypted with AES-GCM under a key of this report alone."""

    key_id: Id = Field(description="Id of the report's key; without that key nobody can read the block")
    nonce: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{16}$")] = Field(
        description="The 12-byte nonce, base64"
    )
    ciphertext: Annotated[str, Base64] = Field(description="Ciphertext and 16-byte tag, base64")
