"""The MOU as data: which agency sees which categories, areas and fields, from when to when."""

from typing import ClassVar

from pydantic import AwareDatetime, Field

from shared.contracts.event import EventData, Model
from shared.contracts.values import AgencyCode, Area, Code, Id, Note


class Terms(Model):
    """One version of an agreement: what is not listed is not seen."""

    version: int = Field(ge=1, description="Number of the version; where two are in effect the higher counts")
    categories: tuple[Code, ...] = Field(
        min_length=1, max_length=256, fail_fast=True, description="Categories of incidents it may see"
    )
    areas: tuple[Area, ...] = Field(
        min_length=1, max_length=8_000, fail_fast=True, description="Areas it may see, by 2, 4 or 6 digits"
    )
    fields: tuple[Code, ...] = Field(
        min_length=1, max_length=64, fail_fast=True, description="Fields it may see; `sealed` opens the block"
    )
    valid_from: AwareDatetime = Field(description="From when it is in effect")
    valid_until: AwareDatetime = Field(description="Until when it is in effect, exclusive")


class AgreementEvent(EventData):
    """Base of the agreement's events.

    The topic is compacted, so the last event must say everything: the terms still in effect as well as those
    that are only announced.
    """

    subject_field: ClassVar[str] = "agreement_id"

    agreement_id: Id = Field(description="Id of the agreement, the same for all its versions")
    agency: AgencyCode = Field(description="The agency that sees what is listed")
    parties: tuple[AgencyCode, ...] = Field(
        min_length=1, max_length=64, fail_fast=True, description="The agencies that signed"
    )
    terms: tuple[Terms, ...] = Field(
        min_length=1, max_length=4, fail_fast=True, description="Every version in effect now or later"
    )


class AgreementPublished(AgreementEvent):
    """An agreement, or a new version of it."""

    type: ClassVar[str] = "th.ruamjai.agreement.published.v1"


class AgreementWithdrawn(AgreementEvent):
    """An agreement ends before its time."""

    type: ClassVar[str] = "th.ruamjai.agreement.withdrawn.v1"

    effective_at: AwareDatetime = Field(description="From when nothing is seen any more, whatever the terms")
    reason: Note = Field(default="", description="Why, in words; <= 2,000 characters")
