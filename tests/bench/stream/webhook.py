"""A webhook's endpoint that takes requests and never answers: who else notices?"""

from collections.abc import Sequence
from pathlib import Path

from tests.bench.stream.latency import delay_row
from tests.bench.stream.town import town
from tests.bench.tables import Row

RATE = 50
SECONDS = 40
HOOKED = "ems"


def measure_webhook(data: Path, scale: float) -> dict[str, Sequence[Row]]:
    """Return the delay at another agency's topic with the endpoint alive, and dead."""
    rows = []
    with town(data, hooked=HOOKED) as found:
        for state in ("alive", "dead"):
            found.receiver.dead = state == "dead"
            asked = found.receiver.asked
            document = found.load(RATE, max(5, SECONDS * scale))
            row = {"endpoint": state, "requests to it": found.receiver.asked - asked}
            rows.append(row | dict(delay_row(document)))
    return {"stream: webhook": rows}
