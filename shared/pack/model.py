"""A jurisdiction as data: who decides for which areas, who can be sent, and who goes to what."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.contracts.values import AgencyCode, Area, Code, DeskCode, GeoPoint, Id, Priority

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Part(BaseModel):
    """Base of everything in a pack: unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Names(Part):
    """A name in two languages."""

    th: Name
    en: Name


class DeskSpec(Part):
    """A control room. `role` is the part it plays: police, medical, triage ...; an open list."""

    code: DeskCode
    name: Names
    agency: AgencyCode
    role: Code
    areas: tuple[Area, ...] = Field(default=(), description="Areas it decides for; the longest code wins")
    point: GeoPoint
    partner: DeskCode | None = Field(default=None, description="Where an escalation goes in the end")


class UnitSpec(Part):
    """Somebody who can be sent."""

    id: Id
    name: Names
    desk: DeskCode
    kinds: tuple[Code, ...] = Field(min_length=1, description="What it can do, such as patrol or ambulance")
    point: GeoPoint


class ZoneSpec(Part):
    """A named safety zone; its polygon is the feature of the same id in `zones.geojson`."""

    id: Id
    name: Names


class Response(Part):
    """One role that goes to incidents of a category, with units of `kind`, at these priorities."""

    role: Code
    kind: Code
    priorities: tuple[Priority, ...] = tuple(Priority)


class Pack(Part):
    """Everything but the geometry. `responses` lists who goes to what; the first role is the home desk's."""

    code: Code
    name: Names
    approximate: bool = False
    triage_desk: DeskCode
    desks: tuple[DeskSpec, ...] = Field(min_length=1)
    units: tuple[UnitSpec, ...] = ()
    zones: tuple[ZoneSpec, ...] = ()
    responses: Mapping[Code, tuple[Response, ...]] = {}
    default_response: tuple[Response, ...] = Field(min_length=1)
    areas: Mapping[Area, Names] = Field(default={}, description="What areas are called, also outer ones")

    @cached_property
    def desk_by_code(self) -> Mapping[str, DeskSpec]:
        """The desks by their code."""
        return {desk.code: desk for desk in self.desks}

    def response(self, category: str, priority: Priority) -> tuple[Response, ...]:
        """Return who goes; never nobody: where the priority leaves none, the first of the category goes."""
        found = self.responses.get(category, self.default_response)
        return tuple(r for r in found if priority in r.priorities) or found[:1]

    @cached_property
    def _desk_at(self) -> Mapping[tuple[str, str], DeskSpec]:
        """The desks by role and area; of two with the same the first."""
        return {(d.role, area): d for d in reversed(self.desks) for area in d.areas}

    def desk_for(self, role: str, area: str | None) -> DeskSpec | None:
        """Return the desk of `role` whose area covers the 2- to 6-digit `area` most closely."""
        codes = [area[:digits] for digits in (6, 4, 2) if digits <= len(area)] if area else []
        return next((desk for code in codes if (desk := self._desk_at.get((role, code)))), None)
