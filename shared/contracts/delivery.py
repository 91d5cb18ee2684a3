"""The ledger: who was told what, when, under which agreement, and what was withheld and why."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field, StringConstraints

from shared.contracts.event import EventData, Model
from shared.contracts.values import AgencyCode, Code, Id


class DeliveryOutcome(StrEnum):
    """What became of one message to one recipient."""

    DELIVERED = "delivered"
    WITHHELD = "withheld"
    FAILED = "failed"


class WithheldField(Model):
    """One field the recipient did not get."""

    field: Code = Field(description="Name of the field")
    reason: Code = Field(description="Why: not_granted, erased, blurred ...; an open list")


class Delivery(Model):
    """One message to one recipient on one channel, with its proof."""

    recipient: Id = Field(description="Opaque id of the recipient; never a phone number or address")
    channel: Code = Field(description="How: topic, webhook, line, email ...; an open list")
    outcome: DeliveryOutcome = Field(description="What became of it")
    reason: Code | None = Field(default=None, description="Why it was withheld or failed; an open list")
    agency: AgencyCode | None = Field(default=None, description="The recipient's agency, if it has one")
    agreement_id: Id | None = Field(default=None, description="The agreement that was judged by")
    agreement_version: int | None = Field(default=None, ge=1, description="The version that was judged by")
    withheld: tuple[WithheldField, ...] = Field(
        default=(), max_length=64, fail_fast=True, description="What the recipient did not get, and why"
    )
    proof: Annotated[str, StringConstraints(max_length=512)] | None = Field(
        default=None, description="What the channel answered, such as a message id"
    )


class DeliveryRecorded(EventData):
    """One entry of the ledger: what was decided about one event for everybody in scope."""

    type: ClassVar[str] = "th.ruamjai.delivery.recorded.v1"
    subject_field: ClassVar[str] = "event_id"

    event_id: Id = Field(description="Id of the event they were to be told of")
    event_type: Id = Field(description="Type of that event")
    incident_id: Id = Field(description="The incident it is about")
    decided_at: AwareDatetime = Field(description="When it was decided, or the channel answered")
    deliveries: tuple[Delivery, ...] = Field(
        min_length=1, max_length=500, fail_fast=True, description="One entry per recipient and channel"
    )
