"""The contract everybody shares: events, their envelope, their topics. Importing it registers every type."""

from shared.contracts import topics
from shared.contracts.agency import AgencyHeartbeat, IncidentShared, ResponseSubmitted
from shared.contracts.agreement import AgreementPublished, AgreementWithdrawn
from shared.contracts.command import CommandAccepted, CommandRefused, CommandRequested
from shared.contracts.delivery import DeliveryRecorded
from shared.contracts.event import REGISTRY, Envelope, Event, EventData, Status
from shared.contracts.incident import (
    IncidentClosed,
    IncidentHandedOver,
    IncidentLinked,
    IncidentOpened,
    IncidentUnlinked,
    IncidentUpdated,
)
from shared.contracts.kafka import ContractError, Record, decode, encode
from shared.contracts.report import ReportErased, ReportLocated, ReportReceived
from shared.contracts.task import TaskAcknowledged, TaskAssigned, TaskCompleted, TaskEscalated
from shared.contracts.topics import Topic
from shared.contracts.unit import UnitStatusChanged

__all__ = [
    "REGISTRY",
    "AgencyHeartbeat",
    "AgreementPublished",
    "AgreementWithdrawn",
    "CommandAccepted",
    "CommandRefused",
    "CommandRequested",
    "ContractError",
    "DeliveryRecorded",
    "Envelope",
    "Event",
    "EventData",
    "IncidentClosed",
    "IncidentHandedOver",
    "IncidentLinked",
    "IncidentOpened",
    "IncidentShared",
    "IncidentUnlinked",
    "IncidentUpdated",
    "Record",
    "ReportErased",
    "ReportLocated",
    "ReportReceived",
    "ResponseSubmitted",
    "Status",
    "TaskAcknowledged",
    "TaskAssigned",
    "TaskCompleted",
    "TaskEscalated",
    "Topic",
    "UnitStatusChanged",
    "decode",
    "encode",
    "topics",
]
