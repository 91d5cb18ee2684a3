"""The topics: who writes them, what their key is, how long they are kept. One table, used by everything."""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from re import fullmatch

from shared.contracts import agency, agreement, command, delivery, incident, report, task, unit
from shared.contracts.event import REGISTRY, EventData
from shared.contracts.values import AGENCY_PATTERN

DAY = timedelta(days=1)
DESK_PARTITIONS = 12
"""Of each of a desk's three inputs. Changing it would move desks away from their state: fixed at creation."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `key` is the field of the event's body that is the record key, so it cannot be forgotten."""

    name: str
    key: str
    types: tuple[str, ...] = ()
    kept: timedelta | None = 7 * DAY
    """How long records are kept; None means compacted."""
    partitions: int = 6
    writers: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    urgent: bool = False
    """Whether this is the lane that a desk empties first."""
    vital: bool = False
    """Whether lives may depend on it: it goes ahead of all else that its readers' processes do."""
    overtaking: bytes | None = None
    """What is in the body of a record that may go ahead of other keys' records, where they wait."""
    outsiders: bool = False
    """Whether somebody outside the platform writes it: then its poison pauses it alone."""

    def __post_init__(self) -> None:
        """Raises ValueError when no event of the topic has its key."""
        models = [model for model in map(REGISTRY.get, self.types) if model is not None]
        if models and not any(self.key in model.model_fields for model in models):
            raise ValueError(f"{self.name}: no event of it has a field {self.key!r} to be the key")

    def __str__(self) -> str:
        return self.name

    def key_of(self, data: EventData) -> str:
        """Return the record key of `data`: its field `key`, or its subject when it is about no such thing."""
        return getattr(data, self.key, None) or data.subject

    def dlq(self, group: str) -> str:
        """Return the name of the dead-letter topic of `group` for this topic."""
        return dlq_of(self.name, group)


def dlq_of(topic: str, group: str) -> str:
    """Return the name of the dead-letter topic of `group` for `topic`."""
    return f"{topic}.{group}.dlq"


def replay_of(group: str) -> str:
    """Return the name of the topic that only `group` reads: repaired or released records come back on it."""
    return f"{group}.replay"


REPORTS_RECEIVED = Topic(
    "reports.received",
    key="report_id",
    types=(report.ReportReceived.type,),
    writers=("intake",),
    readers=("geo",),
)
REPORTS_RECEIVED_URGENT = replace(REPORTS_RECEIVED, name="reports.received.urgent", urgent=True, vital=True)

REPORTS_LOCATED = Topic(
    "reports.located",
    key="desk",
    types=(report.ReportLocated.type,),
    partitions=DESK_PARTITIONS,
    writers=("geo",),
    readers=("dispatch",),
)
REPORTS_LOCATED_URGENT = replace(REPORTS_LOCATED, name="reports.located.urgent", urgent=True, vital=True)
DESKS_COMMANDS = Topic(
    "desks.commands",
    key="desk",
    types=(command.CommandRequested.type, report.ReportErased.type),
    partitions=DESK_PARTITIONS,
    writers=("dispatch", "intake"),
    readers=("dispatch",),
    urgent=True,
)
DESK_INPUTS = (REPORTS_LOCATED_URGENT, DESKS_COMMANDS, REPORTS_LOCATED)

OUTCOMES = (command.CommandAccepted.type, command.CommandRefused.type)
INCIDENTS = Topic(
    "incidents",
    key="incident_id",
    types=(
        incident.IncidentOpened.type,
        incident.IncidentUpdated.type,
        incident.IncidentLinked.type,
        incident.IncidentUnlinked.type,
        incident.IncidentHandedOver.type,
        incident.IncidentClosed.type,
        task.TaskAssigned.type,
        task.TaskAcknowledged.type,
        task.TaskEscalated.type,
        task.TaskCompleted.type,
        unit.UnitStatusChanged.type,
        report.ReportErased.type,
        *OUTCOMES,
    ),
    kept=90 * DAY,
    writers=("dispatch",),
    readers=("notify", "intake"),
    overtaking=b'"priority":"P1"',
)
AGREEMENTS = Topic(
    "agreements",
    key="agreement_id",
    types=(agreement.AgreementPublished.type, agreement.AgreementWithdrawn.type),
    kept=None,
    partitions=1,
    writers=("operator",),
    readers=("notify", "operator"),
)
DELIVERIES = Topic(
    "deliveries",
    key="incident_id",
    types=(delivery.DeliveryRecorded.type,),
    kept=90 * DAY,
    writers=("notify",),
    readers=("operator",),
)
# One partition each: a partner sees one order over all its incidents, and the heartbeat vouches for it all.
_AGENCY_INCIDENTS = Topic(
    "agency.{code}.incidents",
    key="incident_id",
    types=(agency.IncidentShared.type, agency.AgencyHeartbeat.type, report.ReportErased.type, *OUTCOMES),
    kept=30 * DAY,
    partitions=1,
    writers=("notify",),
    readers=("agency",),
)
_AGENCY_RESPONSES = Topic(
    "agency.{code}.responses",
    key="incident_id",
    types=(agency.ResponseSubmitted.type,),
    partitions=1,
    writers=("agency",),
    readers=("dispatch",),
    outsiders=True,
)

ALL = (
    REPORTS_RECEIVED,
    REPORTS_RECEIVED_URGENT,
    *DESK_INPUTS,
    INCIDENTS,
    AGREEMENTS,
    DELIVERIES,
)
"""Every topic that exists whoever the partners are."""

PER_AGENCY = (_AGENCY_INCIDENTS, _AGENCY_RESPONSES)
"""The topics each agency has; their names hold `{code}`, see `agency_incidents` and `agency_responses`."""


def agency_incidents(code: str) -> Topic:
    """Return the topic that tells agency `code` of its incidents; ValueError when the code is malformed."""
    return _for_agency(_AGENCY_INCIDENTS, code)


def agency_responses(code: str) -> Topic:
    """Return the topic that agency `code` answers on; ValueError when the code is malformed."""
    return _for_agency(_AGENCY_RESPONSES, code)


@lru_cache(maxsize=1024)
def _for_agency(template: Topic, code: str) -> Topic:
    if not fullmatch(AGENCY_PATTERN, code):
        raise ValueError(
            f"agency code {code!r} is not lower-case letters, digits and hyphens, 1 to 32 of them"
        )
    return replace(template, name=template.name.format(code=code))
