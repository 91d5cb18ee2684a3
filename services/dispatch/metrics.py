"""What dispatch counts, each on the event that really went out or the answer that was really given."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from prometheus_client import Counter, Histogram

from services.dispatch.asked import Why
from shared.contracts import CommandAccepted, CommandRefused, Event, TaskAssigned, TaskEscalated
from shared.contracts.event import EventData
from shared.contracts.incident import IncidentEvent
from shared.telemetry.metric import Catalogue, Metric, counter, histogram

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)


class Gate(StrEnum):
    """What the gateway did with what it was sent."""

    PASSED = "passed"
    UNKNOWN_INCIDENT = "unknown_incident"
    NOT_ALLOWED = "not_allowed"


class DispatchMetrics(Catalogue):
    """The catalogue, registered on one registry. Raises ValueError when it is there already."""

    events: Metric[Counter] = counter(
        "dispatch_events_total", "Numbered events of incidents, by what happened.", "happened", unit="events"
    )
    escalated: Metric[Counter] = counter(
        "dispatch_escalated_total", "Tasks nobody acknowledged, by whom they went to.", "step", unit="tasks"
    )
    commands: Metric[Counter] = counter(
        "dispatch_commands_total", "Outcomes of commands: `accepted`, or why not.", "outcome", unit="commands"
    )
    gate: Metric[Counter] = counter(
        "dispatch_gate_total", "What the gateway did with what it was sent.", "answer", unit="commands"
    )
    sent_seconds: Metric[Histogram] = histogram(
        "dispatch_sent_seconds", "From an incident's opening to its first unit.", buckets=SECONDS
    )

    def count(self, events: Sequence[Event[EventData]]) -> None:
        """Count what is on the stream."""
        for event in events:
            match event.data:
                case CommandAccepted():
                    self.commands.labels("accepted").inc()
                case CommandRefused(reason=reason):
                    self.commands.labels(reason if reason in set(Why) else "other").inc()
                case IncidentEvent() as data:
                    self._count(data, event)

    def _count(self, data: IncidentEvent, event: Event[EventData]) -> None:
        self.events.labels(".".join(data.type.split(".")[2:4])).inc()
        if isinstance(data, TaskEscalated):
            self.escalated.labels(data.step.value).inc()
        first = isinstance(data, TaskAssigned) and sum(len(task.units) for task in data.view.tasks) == 1
        if first and data.view.lifecycle == "assigned":
            self.sent_seconds.observe(max(timedelta(), event.time - data.view.opened_at).total_seconds())
