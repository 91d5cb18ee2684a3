"""What is remembered of an incident: little, for it is remembered for 90 days after its closing."""

import gc
import tracemalloc
from hashlib import blake2b

from services.notify.audience import Audience, digest
from shared.bus.testing import NOON
from shared.contracts.agency import SharedView
from tests.notify.support import DAY, INCIDENT, Stage, agreement, closed, opened, view

AGENCIES, INCIDENTS = 10, 200


def test_a_closed_incident_takes_less_than_500_bytes_for_each_of_ten_agencies() -> None:
    stage = Stage(*(agreement(f"agency-{n}", valid_until=NOON + 300 * DAY) for n in range(AGENCIES)))
    for warm in ("warm-1", "warm-2"):
        stage.hear(opened(warm))
        stage.hear(closed(incident=warm))
    gc.collect()
    tracemalloc.start()
    for number in range(INCIDENTS):
        stage.hear(opened(f"incident-{number}"))
        stage.hear(closed(incident=f"incident-{number}"))
        stage.counted.clear()
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert all(len(stage.state(f"incident-{n}").agencies) == AGENCIES for n in range(INCIDENTS))
    assert taken / INCIDENTS / AGENCIES < 500


def test_it_reads_back_from_its_snapshot_as_it_was() -> None:
    stage = Stage(agreement(), agreement("hospital"))
    stage.hear(opened())
    before = stage.state(INCIDENT)
    assert Audience.model_validate_json(before.model_dump_json()) == before
    assert before.inside == {"rescue", "hospital"}


def test_a_digest_is_that_of_the_view_as_it_leaves() -> None:
    shown = view().model_dump(exclude={"desk", "report_count", "reports"})
    seen = SharedView(**shown, reports=("rep-1",))
    assert digest(seen) == blake2b(seen.model_dump_json().encode(), digest_size=16).hexdigest()
    assert digest(None) == ""
