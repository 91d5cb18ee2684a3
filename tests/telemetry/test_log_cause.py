"""Lines that a handler writes name the trace and the incident of the event it was called with."""

import json
import logging
from io import StringIO

import pytest

from shared.bus.testing import event_of
from shared.contracts.testing import an_incident
from shared.telemetry import configure_logging, log_cause

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def lines() -> StringIO:
    """What is logged, with the logging of the test run put back afterwards."""
    return StringIO()


def test_a_line_written_while_an_event_is_handled_names_its_trace_and_its_incident(lines: StringIO) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    event = event_of(an_incident(), traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    token = log_cause.set(event)
    try:
        configure_logging("test", stream=lines)
        logging.getLogger("handler").info("seen")
    finally:
        log_cause.reset(token)
        root.handlers[:], root.level = before, level
    line = json.loads(lines.getvalue())
    assert (line["trace_id"], line["incident_id"]) == (TRACE, event.data.incident_id)
